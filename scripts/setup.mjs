// Prepares a fresh clone for the build: `node scripts/setup.mjs [--tests]`. Quick if everything is installed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, main, messageOf, output, root, run, StepError, say } from "./command.mjs";
import { install } from "./install.mjs";
import {
  chromedriver,
  chromium,
  dulwichVersion,
  firefox as firefoxPath,
  inPath,
  mesaNpmSdk,
  mesaNpmSdkVersion,
  mesaSdkVersion,
  postgresBin,
  pythonRoot,
  schemathesisVersion,
  stdSource,
  tool,
  toolRoot,
  wasmBindgenVersion,
  wasmPackVersion,
} from "./tools.mjs";

/** Installs what is missing. `tests`: also the tools that only the tests need. */
export async function setup({ tests = false } = {}) {
  checkNode();
  await systemPackages(tests);
  await wasmTarget();
  await rustSource();
  await cargoTool("wasm-bindgen-cli", wasmBindgenVersion(), "wasm-bindgen");
  if (tests) {
    await cargoTool("wasm-pack", wasmPackVersion, "wasm-pack");
    await pythonTool("schemathesis", schemathesisVersion);
    await pythonTool("dulwich", dulwichVersion);
    await pythonTool("mesa-sdk", mesaSdkVersion);
    await npmSdk();
    await install(join(root, "scripts/docs"));
  }
  await packages();
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) throw new StepError(`Node ${process.versions.node} is too old; refsync needs Node 20 or newer`);
}

async function wasmTarget() {
  if (!inPath("cargo"))
    throw new StepError("cargo is not installed; install Rust with rustup (https://rustup.rs) and try again");
  const lib = output("rustc", ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]);
  if (lib && existsSync(lib)) return;
  if (!inPath("rustup")) {
    throw new StepError("Rust's wasm32-unknown-unknown target is not installed, and there is no rustup to add it with");
  }
  say("rustup target add wasm32-unknown-unknown");
  await run("rustup", ["target", "add", "wasm32-unknown-unknown"]);
}

/** The source of the standard library, for the wasm builds. Without it the builds work too, but are a tenth larger. */
async function rustSource() {
  const source = stdSource();
  if (!source || existsSync(source) || !inPath("rustup")) return;
  say("rustup component add rust-src");
  try {
    await run("rustup", ["component", "add", "rust-src"]);
  } catch (error) {
    say(`${messageOf(error)}; the wasm builds take Rust's compiled standard library instead`);
  }
}

/**
 * Builds a command from source, if it is not built yet.
 *
 * @param {string} crate
 * @param {string} version
 * @param {string} command
 */
export async function cargoTool(crate, version, command) {
  if (tool(crate, version, command)) return;
  say(`cargo install ${crate} ${version} (built from source, a few minutes, once)`);
  // Not --locked, because a registry mirror may not have the exact versions of the tool's release.
  await run("cargo", ["install", crate, "--version", version, "--root", toolRoot(crate, version)]);
}

/**
 * @param {string} name
 * @param {string} version
 */
async function pythonTool(name, version) {
  const folder = pythonRoot(name);
  const installed = `import importlib.metadata as m; m.version("${name}")`;
  if (output(join(folder, "bin/python3"), ["-c", installed]) !== null) return;
  say(`pip install ${name}${version}`);
  await run("python3", ["-m", "venv", folder]);
  await run(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", `${name}${version}`]);
}

/** Not a dependency of the workspace, because it brings 80 MB of packages that none of its REST calls needs. */
async function npmSdk() {
  if (existsSync(join(mesaNpmSdk, "package.json"))) return;
  const wanted = `@mesadev/sdk@${mesaNpmSdkVersion}`;
  say(`npm install ${wanted}`);
  const folder = toolRoot("mesadev-sdk", mesaNpmSdkVersion);
  mkdirSync(folder, { recursive: true });
  const flags = [
    "--prefix",
    folder,
    "--omit=optional",
    "--ignore-scripts",
    "--no-package-lock",
    "--no-fund",
    "--no-audit",
  ];
  await run("npm", ["install", ...flags, wanted]);
}

async function packages() {
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json", "pkg/package.json", "www/package.json"]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  const digest = hash.digest("hex");
  const stamp = join(root, "node_modules/.refsync-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  say("npm ci");
  await run("npm", ["ci", "--no-fund", "--no-audit"]);
  writeFileSync(stamp, digest);
}

/** @param {boolean} tests */
async function systemPackages(tests) {
  const missing = [];
  if (!inPath("git")) missing.push("git");
  if (tests && !chromium()) missing.push("chromium");
  if (tests && !chromedriver()) missing.push("chromium-driver");
  if (tests && postgresBin() === null) missing.push("postgresql");
  // The documents tell people to type these commands, and a test does so.
  for (const command of ["curl", "openssl"]) if (tests && !inPath(command)) missing.push(command);
  if (tests && output("python3", ["-c", "import ensurepip, venv"]) === null) missing.push("python3", "python3-venv");
  await aptInstall(missing);
}

/** Installs Firefox if it is missing. Only the matrix of runtimes needs it. */
export async function firefox() {
  if (!firefoxPath()) await aptInstall(["firefox-esr"]);
}

/** @param {string[]} missing */
async function aptInstall(missing) {
  if (missing.length === 0) return;
  const asRoot = process.getuid?.() === 0 ? ["env"] : inPath("sudo") ? ["sudo", "-n", "env"] : null;
  if (!inPath("apt-get") || !asRoot) {
    throw new StepError(
      `not installed: ${missing.join(", ")}. This script installs them only with apt-get, as root or through sudo; ` +
        "install them yourself and try again (CHROME_PATH, CHROMEDRIVER and FIREFOX_PATH name browsers and a driver elsewhere)",
    );
  }
  say(`apt-get install ${missing.join(" ")}`);
  /** @param {string[]} args */
  const apt = (...args) => {
    const [command = "env", ...rest] = asRoot;
    return run(command, [...rest, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args]);
  };
  await apt("update");
  await apt("install", "--yes", "--no-install-recommends", ...missing);
}

if (isMain(import.meta.url)) await main(() => setup({ tests: process.argv.includes("--tests") }));
