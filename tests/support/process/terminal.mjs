/**
 * A shell in which a test types commands, one after the other. Variables, exports and the current folder are kept. A
 * command that serves keeps running while the next ones are typed, as in a second terminal.
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {object} Running A command that keeps running.
 * @property {string} command
 * @property {() => string} output Its output so far.
 * @property {() => Promise<number>} interrupt Types Ctrl-C, and returns its exit code.
 */

/** The output of our commands when they are ready, if they keep running. */
const READY = "Ctrl-C stops it.";
/** How long a command may take until it has ended or is ready, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Opens a shell in `folder`, with exactly this environment. `close` kills all running processes.
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
      /** Only whole lines, because the file may be read during a write. */
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
     * Types a command that keeps running, and waits until it is ready. Rejects if it ends instead.
     *
     * @param {string} command
     * @returns {Promise<Running>}
     */
    async start(command) {
      const { paths, output, number } = next();
      const redirected = `{ ${command}\n} </dev/null >'${paths.out}' 2>&1`;
      // `set -m` gives it a process group, which receives Ctrl-C.
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
    // The process may have just ended.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
