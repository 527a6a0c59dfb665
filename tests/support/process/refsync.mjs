/** The command `refsync`, from the build. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The command's file. */
export const bin = fileURLToPath(new URL("../../../pkg/bin/refsync.js", import.meta.url));

/**
 * Starts `refsync` with these arguments. They make it print one line of JSON when it answers. Resolves with that line.
 *
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options] `env` has variables that are added to this process's own.
 */
export async function startRefsync(args, { cwd, env } = {}) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [said, errors] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
    errors += text;
  });
  /** @type {Promise<number | null>} */
  const ended = once(child, "close").then(([code]) => code);
  const lines = createInterface({ input: child.stdout });
  const [first] = await Promise.race([
    once(lines, "line"),
    ended.then((code) => Promise.reject(new Error(`refsync ${args[0]} ended with ${code}: ${errors}`))),
  ]);
  lines.on("line", (line) => {
    said += line;
  });
  /** @type {import("../json.mjs").Json} */
  const greeting = JSON.parse(first);
  return {
    first: greeting,
    pid: child.pid,
    /**
     * Sends a signal, and waits for the end. Resolves with the exit code.
     *
     * @param {NodeJS.Signals} [signal] SIGTERM unless another is named.
     */
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
    /** Its standard error. */
    errors: () => errors,
    /** Its standard error, and the lines of its standard output after the first one. */
    log: () => said,
  };
}
