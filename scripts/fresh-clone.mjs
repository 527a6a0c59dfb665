// Measures the first steps of a new user: a clone into an empty folder with empty caches, `npm start` until the page
// answers, a stop, and a second `npm start`. `node scripts/fresh-clone.mjs [--test]`; with `--test` also runs `npm test`
// there.
//
// Takes many minutes and downloads every dependency again; the machine should do nothing else at the same time.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { main, root, run, StepError, say } from "./command.mjs";

const limits = { first: 12 * 60, second: 10 };

await main(async () => {
  const folder = mkdtempSync(join(tmpdir(), "refsync-fresh-"));
  const clone = join(folder, "refsync");
  try {
    await run("git", ["clone", "--quiet", root, clone]);
    const env = emptyHome(join(folder, "home"));
    const first = await start(clone, env);
    const second = await start(clone, env);
    say(
      `first npm start ${first.toFixed(0)} s, at most ${limits.first}; second ${second.toFixed(1)} s, at most ${limits.second}`,
    );
    if (first > limits.first || second > limits.second) throw new StepError("npm start took too long");
    if (process.argv.includes("--test")) {
      const begun = Date.now();
      await run("npm", ["test"], { cwd: clone, env });
      say(`npm test ${((Date.now() - begun) / 1000).toFixed(0)} s`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});

/**
 * An environment with empty caches. It keeps the toolchain and this machine's registries.
 *
 * @param {string} home
 */
function emptyHome(home) {
  const was = homedir();
  const cargo = join(home, ".cargo");
  mkdirSync(cargo, { recursive: true });
  /** @type {[from: string, to: string][]} */
  const settings = [
    [join(was, ".npmrc"), join(home, ".npmrc")],
    [join(process.env.CARGO_HOME ?? join(was, ".cargo"), "config.toml"), join(cargo, "config.toml")],
  ];
  for (const [from, to] of settings) if (existsSync(from)) copyFileSync(from, to);
  const rustup = process.env.RUSTUP_HOME ?? join(was, ".rustup");
  return { ...process.env, HOME: home, CARGO_HOME: cargo, RUSTUP_HOME: rustup, PORT: "0", CI: "true" };
}

/**
 * The seconds from `npm start` until the announced page answers. Then stops it.
 *
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 */
async function start(cwd, env) {
  const begun = Date.now();
  const child = spawn("npm", ["start"], { cwd, env, stdio: ["ignore", "pipe", "inherit"], detached: true });
  const ended = new Promise((resolve) => child.on("close", resolve));
  try {
    const address = await Promise.race([announced(child.stdout), ended.then(() => null)]);
    if (address === null) throw new StepError("npm start ended before it served anything");
    const answer = await fetch(address);
    if (!answer.ok || !(await answer.text()).includes("<html")) throw new StepError(`${address}: no page there`);
    return (Date.now() - begun) / 1000;
  } finally {
    // npm and its child processes are one process group, as in a terminal.
    if (child.exitCode === null && child.pid) process.kill(-child.pid, "SIGINT");
    await ended;
  }
}

/**
 * @param {import("node:stream").Readable} stdout
 * @returns {Promise<string>}
 */
function announced(stdout) {
  let text = "";
  return new Promise((resolve) => {
    stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const found = /refsync is ready: (http\S+)/.exec(text);
      if (found?.[1]) resolve(found[1]);
    });
  });
}
