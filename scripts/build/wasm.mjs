// The wasm builds of the crate: cargo, wasm-bindgen, wasm-opt. Uses only Node's own modules, because this is loaded before
// `npm ci`.
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
 * Makes one build of the crate with its glue, if something has changed.
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
    // Only the cdylib: with an rlib beside it, cargo silently skips link-time optimisation.
    const lib = ["rustc", "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"];
    const std = ownStd ? buildStd : [];
    await run("cargo", [...lib, "--release", ...features, ...std], { env: { ...process.env, ...rustEnv(ownStd) } });
    const bindgen = installedTool("wasm-bindgen-cli", version, "wasm-bindgen");
    const linked = join(targetDir, "wasm32-unknown-unknown", "release", "refsync.wasm");
    rmSync(join(root, out), { recursive: true, force: true });
    // The loader knows where the bytes are. With a path inside the glue, bundlers would ship a second copy.
    await run(bindgen, [linked, "--target", "web", "--omit-default-module-path", "--out-dir", out]);
    // This file describes the raw exports, and would replace the types of the module that runtimes and bundlers import.
    rmSync(join(root, out, "refsync_bg.wasm.d.ts"));
    await optimise(`${out}/refsync_bg.wasm`, name);
    await minifyGlue(join(root, out, "refsync.js"));
    if (name === "service") openapiModule(join(root, out, "openapi.js"));
  });
}

/**
 * Writes the document as a module, because every runtime and bundler can load a module on demand.
 *
 * @param {string} file
 */
function openapiModule(file) {
  const document = readFileSync(join(root, "src/service/router/openapi/openapi.json"), "utf8");
  writeFileSync(file, `export const document = ${JSON.stringify(document)};\n`);
  writeFileSync(file.replace(/\.js$/, ".d.ts"), "export declare const document: string;\n");
}

/**
 * Removes comments and long names, which are a third of the file's compressed size. The declarations beside it keep them.
 *
 * @param {string} file
 */
async function minifyGlue(file) {
  // Does not exist before `npm ci`.
  const { minify } = await import("rolldown/utils");
  const { code, errors } = await minify(file, readFileSync(file, "utf8"), { module: true });
  if (errors[0]) throw new StepError(`minify ${file}: ${errors[0].message}`);
  writeFileSync(file, code);
}

/**
 * Shrinks the file in place. The features are those that rustc's wasm target and wasm-bindgen's output use.
 *
 * @param {string} file
 * @param {string} name
 */
async function optimise(file, name) {
  const features = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
  ];
  // Runs twice: the second pass finds more after the first one. No Rust pointer points into the first 1,024 bytes, which
  // are the far end of Rust's stack.
  // Without it, wasm-opt copies each function that has one caller into the caller, which compresses worse: 4 KB in the service.
  // The engine keeps the copies, because its loops go over every byte of a pack.
  const calls = name === "engine" ? [] : ["--one-caller-inline-max-function-size=20"];
  const flags = [
    "--low-memory-unused",
    "-Oz",
    "-Oz",
    ...calls,
    "--strip-producers",
    ...features.map((f) => `--enable-${f}`),
  ];
  await run(join(root, "node_modules/.bin/wasm-opt"), [...flags, file, "-o", file]);
}

/**
 * Rust's precompiled standard library is optimised for speed, and has panic messages. Nobody sees those in WebAssembly,
 * because a panic is a trap. A standard library that is optimised for size and has no messages makes each build a tenth
 * smaller. The flags are unstable.
 */
const buildStd = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/**
 * SHA-256 with its rounds in a loop, an option of the `sha2` crate. Unrolled it would be 3 KB larger, and few repositories
 * use it.
 */
const compactSha256 = ["--cfg", 'sha2_backend_soft="compact"'];

/**
 * Removes this machine's paths from panic messages. They are private, and they cost a kilobyte.
 *
 * @param {boolean} ownStd
 */
function rustEnv(ownStd) {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  const folders = existsSync(registry) ? readdirSync(registry).map((name) => join(registry, name)) : [];
  const flags = [...folders, root].map((folder) => `--remap-path-prefix=${folder}/=`);
  flags.push(...compactSha256);
  // Also uses the flags that the caller has set, because cargo takes only one of the two variables.
  const own = process.env.CARGO_ENCODED_RUSTFLAGS?.split("\x1f") ?? process.env.RUSTFLAGS?.split(/\s+/) ?? [];
  if (ownStd) flags.push(...ownStdFlags);
  return {
    CARGO_ENCODED_RUSTFLAGS: [...own.filter(Boolean), ...flags].join("\x1f"),
    ...(ownStd && { RUSTC_BOOTSTRAP: "1" }),
  };
}
