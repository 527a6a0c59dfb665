/**
 * A shell into which a test types commands, one after the other. Variables, exports and the current folder carry over. A command
 * that serves runs on while the next ones are typed, as in a second terminal.
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {object} Running A command that runs on.
 * @property {string} command
 * @property {() => string} output What it has printed so far.
 * @property {() => Promise<number>} interrupt Types Ctrl-C; gives its exit code.
 */

/** What a command of ours prints once it is ready, if it runs on. */
const READY = "Ctrl-C stops it.";
/** How long a command may take until it has ended or is ready, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Opens one in `folder`, with exactly this environment. `close` kills whatever still runs.
 *
 * @param {string} folder
 * @param {Record<string, string>} env
 */
export async function openTerminal(folder, env) {
  const scratch = await mkdtemp(join(tmpdir(), "refsync-terminal-"));
  // A session of its own, so that its processes can be ended together.
  const shell = spawn("bash", ["--noprofile", "--norc"], { cwd: folder, env, detached: true, stdio: ["pipe", 2, 2] });
  const shellEnded = new Promise((resolve) => shell.on("close", resolve));
  shell.stdin?.on("error", () => {});
  /** @type {number[]} */
  const groups = [];
  let count = 0;

  const next = () => {
    count += 1;
    const file = (/** @type {string} */ kind) => join(scratch, `${count}.${kind}`);
    const paths = { out: file("out"), code: file("code"), group: file("group") };
    const read = (/** @type {string} */ path) => (existsSync(path) ? readFileSync(path, "utf8") : "");
    return {
      paths,
      output: () => read(paths.out),
      /** Whole lines only: the file may be read while it is written. */
      number: (/** @type {string} */ path) => (read(path).endsWith("\n") ? Number(read(path)) : null),
    };
  };

  /**
   * @template T
   * @param {() => T | null} look
   * @param {string} complaint
   * @returns {Promise<T>}
   */
  const until = async (look, complaint) => {
    for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(25)) {
      const seen = look();
      if (seen !== null) return seen;
      if (shell.exitCode !== null) throw new Error(`the shell has ended; ${complaint}`);
    }
    throw new Error(`${PATIENCE / 1000} seconds are over; ${complaint}`);
  };

  return {
    /**
     * Types a command that ends by itself.
     *
     * @param {string} command
     */
    async type(command) {
      const { paths, output, number } = next();
      shell.stdin?.write(`{ ${command}\n} </dev/null >'${paths.out}' 2>&1; echo $? >'${paths.code}'\n`);
      const code = await until(() => number(paths.code), "the command has not ended").catch((error) => {
        throw new Error(`${error.message}:\n${output()}`);
      });
      return { code, output };
    },

    /**
     * Types a command that runs on, and waits until it is ready. Rejects if it ends instead.
     *
     * @param {string} command
     * @returns {Promise<Running>}
     */
    async start(command) {
      const { paths, output, number } = next();
      const redirected = `{ ${command}\n} </dev/null >'${paths.out}' 2>&1`;
      // `set -m` gives it a process group, which is what Ctrl-C reaches.
      const job = `{ ${redirected}; echo $? >'${paths.code}'; } & echo $! >'${paths.group}'`;
      shell.stdin?.write(`set -m; ${job}; set +m\n`);
      const group = await until(() => number(paths.group), "the command has not started");
      groups.push(group);
      const seen = await until(
        () => number(paths.code) ?? (output().includes(READY) ? "ready" : null),
        `the command has neither ended nor printed "${READY}"`,
      ).catch((error) => {
        throw new Error(`${error.message}:\n${output()}`);
      });
      if (seen !== "ready") throw new Error(`it ended with exit code ${seen} instead of running on:\n${output()}`);
      return {
        command,
        output,
        async interrupt() {
          process.kill(-group, "SIGINT");
          const look = () => number(paths.code) ?? (isAlive(group) ? null : (number(paths.code) ?? "killed"));
          const code = await until(look, "the command has not ended after Ctrl-C");
          if (code === "killed") throw new Error(`Ctrl-C killed it, instead of telling it to stop:\n${output()}`);
          return code;
        },
      };
    },

    async close() {
      for (const group of groups) if (isAlive(group)) kill(group);
      if (shell.pid !== undefined && shell.exitCode === null) kill(shell.pid);
      await shellEnded;
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** @param {number} group */
function isAlive(group) {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** @param {number} group */
function kill(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    // It may have ended just now.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
