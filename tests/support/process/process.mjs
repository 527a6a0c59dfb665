/** Node processes that print one line and should then end. */

import { spawn } from "node:child_process";
import { once } from "node:events";

/** How long a process may live after its result, in milliseconds. A forgotten timer keeps it alive for 8 s and more. */
export const GRACE = 1000;

/**
 * Runs Node with these arguments. Returns its first line, and how long it lived after that line, in milliseconds.
 *
 * @param {string[]} args
 * @param {(child: import("node:child_process").ChildProcess) => void} [started]
 */
export async function ended(args, started = () => {}) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  started(child);
  const exit = once(child, "exit");
  let line = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    line += chunk;
    if (line.includes("\n")) break;
  }
  const said = performance.now();
  await exit;
  return { line: line.trim(), lived: performance.now() - said };
}
