// Running other programs, and saying what is being done. Node's own modules only: this runs before `npm ci`.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The checkout's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** A step that failed in a way that its message explains; printed without a stack. */
export class StepError extends Error {}

/** Says on stderr what is being done, so that stdout stays for results. */
export function say(message) {
  process.stderr.write(`refsync: ${message}\n`);
}

/** Runs a program to its end with our terminal; its stdout goes to stderr. Throws when it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
    child.on("error", (error) => {
      reject(new StepError(error.code === "ENOENT" ? `${command} is not installed` : `${command}: ${error.message}`));
    });
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new StepError(`${command} ${args.join(" ")}: ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** What a program prints, or null where it is not there or fails. */
export function output(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : null;
}

/** Runs a script's main function; a failure ends the process with code 1 and one line that says why. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    say(error instanceof StepError ? error.message : (error?.stack ?? String(error)));
    process.exitCode = 1;
  }
}
