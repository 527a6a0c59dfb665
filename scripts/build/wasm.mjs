// The wasm builds of the crate: cargo, wasm-bindgen, wasm-opt. Node's own modules only, because this is loaded before `npm ci`.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { root, run, StepError } from "../command.mjs";
import { installedTool, ownStdFlags, targetDir, wasmBindgenVersion } from "../tools.mjs";
import { once } from "./stamp.mjs";

/** The features of each build, as cargo's arguments. */
export const builds = {
  client: ["--no-default-features", "--features", "client"],
  engine: ["--no-default-features", "--features", "engine"],
  service: ["--no-default-features", "--features", "service"],
};

/**
 * One build of the crate with its glue, if something has changed.
 *
 * @param {string} name
 * @param {string[]} features
 * @param {boolean} ownStd
 */
export async function buildWasm(name, features, ownStd) {
  const out = `pkg/src/wasm/${name}`;
  const version = wasmBindgenVersion();
  const files = {
    inputs: ["Cargo.toml", "Cargo.lock", "derive", "src", "scripts/build/wasm.mjs"],
    outputs: [`${out}/refsync.js`, `${out}/refsync_bg.wasm`, ...(name === "service" ? [`${out}/openapi.js`] : [])],
    salt: `${version} ${ownStd ? ownStdFlags : ""}`,
  };
  await once(`build wasm (${name})`, files, async () => {
    // The cdylib alone: with an rlib beside it cargo leaves link-time optimisation out, without a word.
    const lib = ["rustc", "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"];
    const std = ownStd ? buildStd : [];
    await run("cargo", [...lib, "--release", ...features, ...std], { env: { ...process.env, ...rustEnv(ownStd) } });
    const bindgen = installedTool("wasm-bindgen-cli", version, "wasm-bindgen");
    const linked = join(targetDir, "wasm32-unknown-unknown", "release", "refsync.wasm");
    rmSync(join(root, out), { recursive: true, force: true });
    // The loader says where the bytes are; a path inside the glue would make bundlers ship a second copy.
    await run(bindgen, [linked, "--target", "web", "--omit-default-module-path", "--out-dir", out]);
    // It describes the raw exports, and would stand in for the module that runtimes and bundlers import.
    rmSync(join(root, out, "refsync_bg.wasm.d.ts"));
    await optimise(`${out}/refsync_bg.wasm`);
    await minifyGlue(join(root, out, "refsync.js"));
    if (name === "service") openapiModule(join(root, out, "openapi.js"));
  });
}

/**
 * The document as a module, for that is what every runtime and bundler can load when it is asked for.
 *
 * @param {string} file
 */
function openapiModule(file) {
  const document = readFileSync(join(root, "src/service/router/openapi.json"), "utf8");
  writeFileSync(file, `export const document = ${JSON.stringify(document)};\n`);
  writeFileSync(file.replace(/\.js$/, ".d.ts"), "export declare const document: string;\n");
}

/**
 * Its comments and long names are a third of what is sent of it; the declarations beside it keep them.
 *
 * @param {string} file
 */
async function minifyGlue(file) {
  // Not there before `npm ci`.
  const { minify } = await import("rolldown/utils");
  const { code, errors } = await minify(file, readFileSync(file, "utf8"), { module: true });
  if (errors[0]) throw new StepError(`minify ${file}: ${errors[0].message}`);
  writeFileSync(file, code);
}

/**
 * Shrinks it in place. The features are those that rustc's wasm target and wasm-bindgen's output use.
 *
 * @param {string} file
 */
async function optimise(file) {
  const features = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
  ];
  // Twice: the second time finds what the first laid open.
  // No pointer of Rust's lies in the first 1,024 bytes, which are the far end of its stack.
  const flags = ["--low-memory-unused", "-Oz", "-Oz", "--strip-producers", ...features.map((f) => `--enable-${f}`)];
  await run(join(root, "node_modules/.bin/wasm-opt"), [...flags, file, "-o", file]);
}

/**
 * Rust's compiled standard library is made to be fast and to say why it panics. Nobody hears that in WebAssembly, where a
 * panic is a trap; made for size and without those words it takes a tenth off each build. The flags are unstable ones.
 */
const buildStd = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/** SHA-256 with its rounds in a loop, as the `sha2` crate offers it: unrolled it is 3 KB more, and few repositories use it. */
const compactSha256 = ["--cfg", 'sha2_backend_soft="compact"'];

/**
 * Keeps this machine's paths out of what a panic would say: they are nobody's business, and a kilobyte.
 *
 * @param {boolean} ownStd
 */
function rustEnv(ownStd) {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  const folders = existsSync(registry) ? readdirSync(registry).map((name) => join(registry, name)) : [];
  const flags = [...folders, root].map((folder) => `--remap-path-prefix=${folder}/=`);
  flags.push(...compactSha256);
  // What the caller has set counts too; cargo takes only one of the two variables.
  const own = process.env.CARGO_ENCODED_RUSTFLAGS?.split("\x1f") ?? process.env.RUSTFLAGS?.split(/\s+/) ?? [];
  if (ownStd) flags.push(...ownStdFlags);
  return {
    CARGO_ENCODED_RUSTFLAGS: [...own.filter(Boolean), ...flags].join("\x1f"),
    ...(ownStd && { RUSTC_BOOTSTRAP: "1" }),
  };
}
