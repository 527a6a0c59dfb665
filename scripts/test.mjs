// Everything that must hold before a change lands: `npm test`. Ends with one line, `N passed, N failed`.
//
// Test runners count their tests. Each check (format, lints, types, the build) counts as one.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { builds } from "./build/wasm.mjs";
import { build } from "./build.mjs";
import { main, root, StepError, say } from "./command.mjs";
import { setup } from "./setup.mjs";
import { chromedriver, chromium, installedTool, postgresBin, wasmBindgenVersion, wasmPackVersion } from "./tools.mjs";

/**
 * @typedef {[string, ...string[]]} Command A program and its arguments.
 * @typedef {{ passed: RegExp, failed: RegExp }} Summary
 * @typedef {{ name: string, command: Command, summary?: Summary }} Step
 * @typedef {{ name: string, passed: number, failed: number }} Result
 */

/** Files whose tests fail if other work uses the processor at the same time. */
const MEASURES_TIME = /(start-up|process-end)\.test\.mjs$/;
/**
 * Milliseconds. A test file that has not ended by then has failed, because a process that it left running would block `npm
 * test` for ever.
 */
const FILE_LIMIT = 600_000;
/** Milliseconds. The same for a whole step. `cargo test` compiles first. */
const STEP_LIMIT = 40 * 60_000;

/** The summary that a runner prints at its end. It is added up over all parts, because one command may run several binaries. */
const summaries = {
  cargo: { passed: /^test result: .*?(\d+) passed/gm, failed: /^test result: .*?(\d+) failed/gm },
  node: { passed: /^ℹ pass (\d+)/gm, failed: /^ℹ (?:fail|cancelled) (\d+)/gm },
};

await main(async () => {
  await setup({ tests: true });
  const first = await built();
  const results = [first];
  if (first.failed === 0) for (const step of steps()) results.push(await measured(step));
  close(results);
});

/** @returns {Promise<Result>} */
async function built() {
  try {
    await build();
    return { name: "build", passed: 1, failed: 0 };
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(error.message);
    return { name: "build", passed: 0, failed: 1 };
  }
}

/** @returns {Step[]} */
function steps() {
  /** @param {string} command */
  const bin = (command) => join(root, "node_modules/.bin", command);
  /**
   * @param {string} name
   * @param {string[]} args
   * @returns {Step}
   */
  const clippy = (name, ...args) => ({
    name: `clippy (${name})`,
    command: ["cargo", "clippy", "--quiet", ...args, "--", "-D", "warnings"],
  });
  const wasm = Object.entries(builds).map(([name, features]) =>
    clippy(`wasm, ${name}`, "--lib", "--target", "wasm32-unknown-unknown", ...features),
  );
  return [
    { name: "cargo fmt", command: ["cargo", "fmt", "--check"] },
    clippy("native", "--all-targets"),
    ...wasm,
    { name: "biome", command: [bin("biome"), "ci", "."] },
    { name: "tsc", command: [bin("tsc"), "--noEmit", "--project", "pkg"] },
    { name: "tsc (scripts)", command: [bin("tsc")] },
    { name: "sizes", command: [process.execPath, "scripts/checks/sizes.mjs"] },
    { name: "circles of modules", command: [process.execPath, "scripts/checks/circles.mjs"] },
    { name: "files in a folder", command: [process.execPath, "scripts/checks/folders.mjs"] },
    { name: "cargo test", command: ["cargo", "test", "--quiet", "--no-fail-fast"], summary: summaries.cargo },
    // These files mostly wait for leases and timeouts, so two files run at a time. Files that measure time run alone.
    nodeTests("node tests", "tests/js", { only: (name) => !MEASURES_TIME.test(name), concurrency: 2 }),
    nodeTests("node tests that measure time", "tests/js", { only: (name) => MEASURES_TIME.test(name) }),
    nodeTests("soak", "tests/soak"),
    nodeTests("attack", "tests/attack"),
    {
      // The client's build, which is what a page loads. A debug build of the full one imports `malloc` from "env" (zlib-rs's
      // C allocator, which only a release build drops), so a browser cannot load it.
      name: "wasm-pack test",
      command: [
        installedTool("wasm-pack", wasmPackVersion, "wasm-pack"),
        ...["test", "--headless", "--chrome", "--chromedriver", chromedriver() ?? "chromedriver"],
        ...["--mode", "no-install"],
        ...["--", "--test", "web", ...builds.client],
      ],
      summary: summaries.cargo,
    },
    nodeTests("page tests", "tests/browser"),
    nodeTests("the packed package", "tests/runtimes"),
  ];
}

/**
 * @param {string} name
 * @param {string} folder
 * @param {{ only?: (file: string) => boolean, concurrency?: number }} [how] Which files, and how many of them at the same time.
 * @returns {Step}
 */
function nodeTests(name, folder, { only = () => true, concurrency = 1 } = {}) {
  const files = testFiles(join(root, folder)).filter(only);
  const limits = [`--test-timeout=${FILE_LIMIT}`, `--test-concurrency=${concurrency}`];
  const options = ["--test", "--test-reporter=spec", ...limits];
  return { name, command: [process.execPath, ...options, ...files], summary: summaries.node };
}

/** @param {string} folder */
function testFiles(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const names = entries.filter((name) => !name.includes("node_modules"));
  return names
    .filter((name) => name.endsWith(".test.mjs"))
    .sort()
    .map((name) => join(folder, name));
}

/** @param {Step} step */
async function measured({ name, command, summary }) {
  say(name);
  const { code, text } = await outputOf(command);
  /** @param {RegExp} pattern */
  const sum = (pattern) => [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  const passed = summary ? sum(summary.passed) : Number(code === 0);
  const counted = summary ? sum(summary.failed) : Number(code !== 0);
  // A runner that crashes before it counts has failed. So has a runner that finds no tests.
  const broken = code !== 0 || passed === 0;
  return { name, passed, failed: counted === 0 && broken ? 1 : counted };
}

/**
 * Runs a command. Shows and keeps its output.
 *
 * @param {Command} command
 * @returns {Promise<{ code: number, text: string }>}
 */
function outputOf([command, ...args]) {
  const bindgen = installedTool("wasm-bindgen-cli", wasmBindgenVersion(), "wasm-bindgen");
  const env = {
    ...process.env,
    // wasm-pack uses the wasm-bindgen in PATH if its version matches, and would download one otherwise.
    PATH: [dirname(bindgen), process.env.PATH].join(delimiter),
    CHROME_PATH: chromium() ?? undefined,
    REFSYNC_POSTGRES_BIN: postgresBin() ?? "",
    FORCE_COLOR: "0",
    CARGO_TERM_COLOR: "never",
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => {
      say(`${command} did not end within ${STEP_LIMIT / 60_000} minutes: it is ended`);
      child.kill("SIGKILL");
    }, STEP_LIMIT);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        process.stderr.write(chunk);
      });
    }
    child.on("error", (error) => resolve({ code: 1, text: error.message }));
    child.on("exit", (code) => {
      clearTimeout(timer);
      // A process that the step left behind may hold the pipes open.
      setTimeout(() => child.stdout.destroy() && child.stderr.destroy(), 5000).unref();
      child.on("close", () => resolve({ code: code ?? 1, text }));
    });
  });
}

/** @param {Result[]} results */
function close(results) {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, passed, failed } of results) say(`${name.padEnd(width)}  ${passed} passed, ${failed} failed`);
  /** @param {"passed" | "failed"} key */
  const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
  process.stdout.write(`${total("passed")} passed, ${total("failed")} failed\n`);
  if (total("failed") > 0) process.exitCode = 1;
}
