// Builds the package: two wasm builds of the crate, TypeScript, the page. `node scripts/build.mjs`.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { main, root, run, StepError } from "./command.mjs";
import { once } from "./stamp.mjs";
import { targetDir, tool, wasmBindgenVersion } from "./tools.mjs";

/** What of the crate each build holds, as cargo's arguments. */
export const builds = {
  client: ["--no-default-features", "--features", "client"],
  full: [],
};

/** Builds what has changed. */
export async function build() {
  for (const [name, features] of Object.entries(builds)) await wasm(name, features);
  await typescript();
  await page();
}

async function wasm(name, features) {
  const out = `pkg/src/wasm/${name}`;
  const version = wasmBindgenVersion();
  const files = {
    inputs: ["Cargo.toml", "Cargo.lock", "src", "scripts/build.mjs"],
    outputs: [`${out}/refsync.js`, `${out}/refsync_bg.wasm`],
    salt: version,
  };
  await once(`build wasm (${name})`, files, async () => {
    // The cdylib alone: with an rlib beside it cargo leaves link-time optimisation out, without a word.
    const lib = ["rustc", "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"];
    await run("cargo", [...lib, "--release", ...features]);
    const bindgen = tool("wasm-bindgen-cli", version, "wasm-bindgen");
    if (!bindgen) throw new StepError(`wasm-bindgen ${version} is not installed; run: node scripts/setup.mjs`);
    const linked = join(targetDir, "wasm32-unknown-unknown", "release", "refsync.wasm");
    rmSync(join(root, out), { recursive: true, force: true });
    // The loader says where the bytes are; a path inside the glue would make bundlers ship a second copy.
    await run(bindgen, [linked, "--target", "web", "--omit-default-module-path", "--out-dir", out]);
    await optimise(`${out}/refsync_bg.wasm`);
  });
}

/** Shrinks it in place. The features are those that rustc's wasm target and wasm-bindgen's output use. */
async function optimise(file) {
  const features = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
  ];
  await run(bin("wasm-opt"), ["-Oz", ...features.map((f) => `--enable-${f}`), file, "-o", file]);
}

async function typescript() {
  const files = {
    inputs: ["pkg/src", "pkg/tsconfig.json", "tsconfig.base.json", "pkg/package.json", "package-lock.json"],
    outputs: ["pkg/dist/wasm"],
  };
  await once("build TypeScript", files, async () => {
    const dist = join(root, "pkg/dist");
    mkdirSync(dist, { recursive: true });
    // Everything that an earlier build left, save the page, which is a step of its own.
    for (const name of readdirSync(dist)) if (name !== "page") rmSync(join(dist, name), { recursive: true });
    await run(bin("tsc"), ["--project", "pkg"]);
    cpSync(join(root, "pkg/src/wasm-module.d.ts"), join(dist, "wasm-module.d.ts"));
    cpSync(join(root, "pkg/src/wasm"), join(dist, "wasm"), { recursive: true });
    for (const name of ["LICENSE-MIT", "LICENSE-APACHE", "README.md"]) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(root, "pkg", name));
    }
  });
}

async function page() {
  if (!existsSync(join(root, "www/package.json"))) return;
  const files = {
    inputs: ["www", "pkg/src", "pkg/package.json", "package-lock.json"],
    outputs: ["pkg/dist/page/index.html"],
  };
  await once("build the page", files, async () => {
    await run("npm", ["run", "--silent", "build", "--workspace", "www"]);
    rmSync(join(root, "pkg/dist/page"), { recursive: true, force: true });
    cpSync(join(root, "www/dist"), join(root, "pkg/dist/page"), { recursive: true });
  });
}

function bin(command) {
  return join(root, "node_modules/.bin", command);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(build);
}
