/** Runs `refsync` in a terminal, which `script` provides. */

import { spawn } from "node:child_process";
import { bin } from "./refsync.mjs";

/**
 * Runs a command that serves until it prints that Ctrl-C stops it, and then stops it. Returns its output until then.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} args
 * @param {{ isPiped?: boolean }} [options] `isPiped`: its output goes into a pipe instead.
 */
export async function openTty(t, args, { isPiped = false } = {}) {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ");
  const child = isPiped
    ? spawn(process.execPath, [bin, ...args])
    : spawn("script", ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"]);
  const ended = new Promise((resolve) => child.on("close", resolve));
  t.after(() => {
    child.kill("SIGKILL");
    return ended;
  });
  let printed = "";
  await new Promise((resolve, reject) => {
    const read = (/** @type {Buffer} */ chunk) => {
      printed += chunk;
      if (printed.includes("Ctrl-C stops it.")) resolve(undefined);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    ended.then((code) => reject(new Error(`it ended with ${code}: ${printed}`)));
  });
  if (isPiped) child.kill("SIGINT");
  else child.stdin.write("\u0003");
  await ended;
  return printed;
}
