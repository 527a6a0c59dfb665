// Fuzzes every parser: `npm run fuzz [-- --seconds N] [--jobs N] [TARGET…]`. Prints a table of the runs at the end.
//
// A target starts from its seeds in `fuzz/seeds` and from the finds of earlier runs in `fuzz/corpus`, which is not
// committed. Failing inputs are written to `fuzz/artifacts`. Fix the bug, and add the input to the seeds, which `cargo
// test` replays.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { main, output, root, run, StepError, say } from "./command.mjs";
import { cargoTool } from "./setup.mjs";
import { cargoFuzzVersion, inPath, installedTool } from "./tools.mjs";

const folder = join(root, "fuzz");
/** @param {string} target */
const corpus = (target) => join(folder, "corpus", target);
const everyTarget = readdirSync(join(folder, "seeds")).sort();

await main(async () => {
  const { seconds, jobs, targets } = settings();
  const env = await prepared();
  await run("cargo", ["+nightly", "fuzz", "build"], { env });
  const left = [...targets];
  /** @type {Awaited<ReturnType<typeof fuzzed>>[]} */
  const results = [];
  const worker = async () => {
    for (let target = left.shift(); target; target = left.shift()) results.push(await fuzzed(target, seconds, env));
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  report(results.sort((a, b) => a.target.localeCompare(b.target)));
});

function settings() {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: "string" }, jobs: { type: "string" } },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !everyTarget.includes(name));
  if (unknown) throw new StepError(`${unknown} is no target; there are ${everyTarget.join(", ")}`);
  /**
   * @param {"seconds" | "jobs"} name
   * @param {number} otherwise
   */
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new StepError(`--${name} must be a whole number above 0`);
    return value;
  };
  return {
    seconds: number("seconds", 60),
    jobs: number("jobs", 1),
    targets: positionals.length > 0 ? positionals : everyTarget,
  };
}

/** Installs everything that fuzzing needs. Returns the environment to run it in. */
async function prepared() {
  if (output("cargo", ["+nightly", "--version"]) === null) {
    if (!inPath("rustup")) throw new StepError("Rust's nightly toolchain is not installed, nor rustup to add it with");
    await run("rustup", ["toolchain", "install", "nightly", "--profile", "minimal"]);
  }
  await cargoTool("cargo-fuzz", cargoFuzzVersion, "cargo-fuzz");
  const bin = dirname(installedTool("cargo-fuzz", cargoFuzzVersion, "cargo-fuzz"));
  return { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) };
}

/**
 * Runs one target. Returns libFuzzer's last messages.
 *
 * @param {string} target
 * @param {number} seconds
 * @param {NodeJS.ProcessEnv} env
 */
async function fuzzed(target, seconds, env) {
  say(`${target}: ${seconds} s`);
  mkdirSync(corpus(target), { recursive: true });
  const folders = [corpus(target), join(folder, "seeds", target)];
  const flags = [`-max_total_time=${seconds}`, "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"];
  const child = spawn("cargo", ["+nightly", "fuzz", "run", target, ...folders, "--", ...flags], { cwd: root, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    // Only the end is useful, and a long run prints a lot.
    stream.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-100_000);
    });
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  /** @param {RegExp} pattern */
  const last = (pattern) => Number([...said.matchAll(pattern)].at(-1)?.[1] ?? 0);
  if (code !== 0) say(`${target} failed:\n${said.slice(-4000)}`);
  return {
    target,
    ok: code === 0,
    executions: last(/stat::number_of_executed_units:\s*(\d+)/g),
    seconds: last(/Done \d+ runs in (\d+) second/g),
    edges: last(/cov: (\d+)/g),
  };
}

/** @param {Awaited<ReturnType<typeof fuzzed>>[]} results */
function report(results) {
  for (const { target, ok, executions, seconds, edges } of results) {
    const counts = `${executions.toLocaleString("en")} executions in ${seconds} s, ${edges} edges`;
    process.stdout.write(`${target.padEnd(16)} ${ok ? "ok    " : "FAILED"} ${counts}\n`);
  }
  if (results.some(({ ok }) => !ok)) process.exitCode = 1;
}
