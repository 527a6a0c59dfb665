// Finds the tools that are built from source or installed on this machine.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

import { output, root, StepError } from "./command.mjs";

/** Cargo's target folder. */
export const targetDir = process.env.CARGO_TARGET_DIR
  ? isAbsolute(process.env.CARGO_TARGET_DIR)
    ? process.env.CARGO_TARGET_DIR
    : join(root, process.env.CARGO_TARGET_DIR)
  : join(root, "target");

/** The version of wasm-bindgen in the crate. The command must have the same version. */
export function wasmBindgenVersion() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (!version) throw new StepError("Cargo.lock: wasm-bindgen is not in it");
  return version;
}

/** The rustc flags of the wasm builds that compile the standard library themselves. */
export const ownStdFlags = [
  ...["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"],
  // Removes derived `Debug`s, which nothing prints here. The vtables of errors would keep them.
  "-Zfmt-debug=shallow",
];

/** The folder of the standard library's source, from rustup's `rust-src`; null without a toolchain. */
export function stdSource() {
  const sysroot = output("rustc", ["--print", "sysroot"]);
  return sysroot && join(sysroot, "lib/rustlib/src/rust/library");
}

/** Whether the standard library can be compiled for the wasm builds: its source exists, and rustc knows the flags. */
export function compilesStd() {
  const source = stdSource();
  if (!source || !existsSync(source)) return false;
  const probe = ["rustc", ...ownStdFlags, "--target", "wasm32-unknown-unknown", "--print", "cfg"];
  return output("env", ["RUSTC_BOOTSTRAP=1", ...probe]) !== null;
}

/** The version of wasm-pack that the tests use. */
export const wasmPackVersion = "0.15.1";

/**
 * The folder of a tool that `cargo install` builds. Each version has its own folder, so that versions never mix.
 *
 * @param {string} crate
 * @param {string} version
 */
export function toolRoot(crate, version) {
  return join(root, "target/tools", `${crate}-${version}`);
}

/**
 * The tool's path: our own, or one in PATH with exactly this version; null if there is none.
 *
 * @param {string} crate
 * @param {string} version
 * @param {string} command
 */
export function tool(crate, version, command) {
  const own = join(toolRoot(crate, version), "bin", command);
  if (existsSync(own)) return own;
  const found = inPath(command);
  return found && output(found, ["--version"])?.split(" ").at(1) === version ? found : null;
}

/**
 * The tool's path. Throws if it is not installed.
 *
 * @param {string} crate
 * @param {string} version
 * @param {string} command
 */
export function installedTool(crate, version, command) {
  const path = tool(crate, version, command);
  if (!path) throw new StepError(`${command} ${version} is not installed; run: node scripts/setup.mjs`);
  return path;
}

/** The version of cargo-fuzz that `npm run fuzz` uses. */
export const cargoFuzzVersion = "0.13.2";

/** The version of schemathesis that the tests use, in pip's notation. */
export const schemathesisVersion = "~=4.32";

/** The version of dulwich, the second Git server of the tests. */
export const dulwichVersion = "~=1.2";

/** The version of the API's public Python SDK that the tests use, in pip's notation. */
export const mesaSdkVersion = "~=0.49.1";

/** The version of the API's public npm SDK that the tests use. */
export const mesaNpmSdkVersion = "0.38.0";

/** Its folder after the installation. */
export const mesaNpmSdk = join(toolRoot("mesadev-sdk", mesaNpmSdkVersion), "node_modules/@mesadev/sdk");

/**
 * The folder of a Python tool of the tests: a virtual environment of its own.
 *
 * @param {string} name
 */
export function pythonRoot(name) {
  return join(root, "target/tools", name);
}

/**
 * The path of the first of these commands that is in PATH.
 *
 * @param {string[]} commands
 */
export function inPath(...commands) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  for (const command of commands) {
    for (const folder of folders) {
      const path = join(folder, command);
      if (existsSync(path)) return path;
    }
  }
  return null;
}

/** The path of Chromium or Chrome; `CHROME_PATH` overrides it. */
export function chromium() {
  return process.env.CHROME_PATH ?? inPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
}

/** The path of its driver; `CHROMEDRIVER` overrides it. */
export function chromedriver() {
  return process.env.CHROMEDRIVER ?? inPath("chromedriver");
}

/** The path of Firefox; `FIREFOX_PATH` overrides it. */
export function firefox() {
  return process.env.FIREFOX_PATH ?? inPath("firefox-esr", "firefox");
}

/** The folder with PostgreSQL's server programs, which Debian does not put in PATH. */
export function postgresBin() {
  if (inPath("initdb")) return "";
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(base, version, "bin")).find((bin) => existsSync(join(bin, "initdb"))) ?? null;
}
