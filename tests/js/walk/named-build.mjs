// A build of the package whose WebAssembly has the names of its functions, and reports each function that runs.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";

import binaryen from "binaryen";

import { output, root, run } from "../../../scripts/command.mjs";
import { installedTool, targetDir, wasmBindgenVersion } from "../../../scripts/tools.mjs";

/**
 * @typedef {object} NamedBuild
 * @property {(path: string) => Promise<any>} load Loads a module of the build.
 * @property {Uint8Array<ArrayBuffer>} wasm
 * @property {string[]} functions The names of the crate's functions, and of serde_json's parser.
 */

const folder = join(root, "target/walk");
const target = ["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "client,service"];

/**
 * Copies the built package into `target/walk`, with one debug build of the crate as its client and its service. A debug build has
 * the name of each function, and no function is inlined.
 *
 * `wasm` calls `walk.ran(n)` at the start of the function `functions[n]`. The caller provides it as `globalThis.walk`.
 *
 * @returns {Promise<NamedBuild>}
 */
export async function namedBuild() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run("cargo", ["build", "--quiet", "--lib", ...target]);
  const linked = join(targetDir, "wasm32-unknown-unknown/debug/refsync.wasm");
  const bindgen = installedTool("wasm-bindgen-cli", wasmBindgenVersion(), "wasm-bindgen");
  await run(bindgen, [linked, "--target", "web", "--omit-default-module-path", "--out-dir", join(folder, "glue")]);

  const dist = join(folder, "dist");
  const built = join(root, "pkg/dist");
  const isNeeded = (/** @type {string} */ path) => !["page", "cli"].includes(relative(built, path).split(sep)[0] ?? "");
  cpSync(built, dist, { recursive: true, filter: isNeeded });
  copyFileSync(join(root, "pkg/package.json"), join(folder, "package.json"));
  const glue = readFileSync(join(folder, "glue/refsync.js"), "utf8");
  const imports = '"./refsync_bg.js": import0,';
  if (!glue.includes(imports)) throw new Error(`the glue of wasm-bindgen has no line with ${imports}`);
  for (const name of ["client", "service"]) {
    const withWalk = glue.replace(imports, `${imports} walk: globalThis.walk,`);
    writeFileSync(join(dist, "wasm", name, "refsync.js"), withWalk);
  }
  const load = (/** @type {string} */ path) => import(pathToFileURL(join(dist, path)).href);
  return { load, ...reporting(readFileSync(join(folder, "glue/refsync_bg.wasm"))) };
}

/**
 * The module, with a call of `walk.ran` in each of these functions.
 *
 * @param {Uint8Array} wasm
 */
function reporting(wasm) {
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(wasm);
  module.addFunctionImport("ran", "walk", "ran", binaryen.i32, binaryen.none);
  /** @type {string[]} */
  const functions = [];
  for (let at = 0; at < module.getNumFunctions(); at += 1) {
    const item = module.getFunctionByIndex(at);
    const { name, module: imported, body } = binaryen.getFunctionInfo(item);
    if (imported || (sourceOf(name) === undefined && !name.startsWith("serde_json::de::from_trait::"))) continue;
    const report = module.call("ran", [module.i32.const(functions.length)], binaryen.none);
    const reported = module.block(null, [report, body], binaryen.getExpressionType(body));
    // The types of binaryen do not have this function.
    /** @type {any} */ (binaryen).Function.setBody(item, reported);
    functions.push(name);
  }
  return { wasm: new Uint8Array(module.emitBinary()), functions };
}

/** The files of the crate and the package that are written by hand. */
const files = new Set(
  output("git", ["ls-files", "--cached", "--others", "--exclude-standard", "src", "pkg/src"])?.split("\n"),
);

/**
 * The file in `src` of a function, by its name: `refsync::client::call::<impl refsync::client::Client>::call` is in
 * `src/client/call.rs`. Undefined if it is not a function of the crate.
 *
 * @param {string} name
 */
export function sourceOf(name) {
  // `<Type as Trait>::function` is in the file of the type. Otherwise the name would begin with the module of its `impl`.
  const path = /^\$?<?refsync::((?:\w+::)*)/.exec(name)?.[1];
  if (path === undefined) return undefined;
  const steps = path.split("::").slice(0, -1);
  for (; steps.length > 0; steps.pop()) {
    const found = [`src/${steps.join("/")}.rs`, `src/${steps.join("/")}/mod.rs`].find((file) => files.has(file));
    if (found) return found;
  }
  return undefined;
}

/**
 * The file in `pkg/src` of a module of the build. Undefined if it is not written by hand.
 *
 * @param {string} url
 */
export function typescriptOf(url) {
  const path = url.split("/target/walk/dist/")[1];
  const file = `pkg/src/${path?.replace(/\.js$/, ".ts")}`;
  return path && files.has(file) ? file : undefined;
}
