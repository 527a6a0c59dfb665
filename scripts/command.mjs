// Runs other programs, and reports the current step. Uses only Node's own modules, because this runs before `npm ci`.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The checkout's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** An error that its message explains. It is printed without a stack. */
export class StepError extends Error {}

/**
 * Prints the current step on stderr, so that stdout has only results.
 *
 * @param {string} message
 */
export function say(message) {
  process.stderr.write(`refsync: ${message}\n`);
}

/**
 * Runs a program to its end in our terminal. Its stdout goes to stderr. Throws if the program fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<void>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
    child.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      reject(new StepError(error.code === "ENOENT" ? `${command} is not installed` : `${command}: ${error.message}`));
    });
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new StepError(`${command} ${args.join(" ")}: ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * The output of a program, or null if it does not exist or fails.
 *
 * @param {string} command
 * @param {string[]} args
 */
export function output(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Runs a script's main function. If it fails, prints one line with the reason and exits with code 1.
 *
 * @param {() => Promise<unknown>} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    say(error instanceof Error && !(error instanceof StepError) ? (error.stack ?? error.message) : messageOf(error));
    process.exitCode = 1;
  }
}

/**
 * The message of a thrown value.
 *
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Whether Node was started with this module.
 *
 * @param {string} url The module's `import.meta.url`.
 */
export function isMain(url) {
  const script = process.argv[1];
  return script !== undefined && url === pathToFileURL(script).href;
}
