/** Processes in process namespaces of their own, as two containers on one machine have them. */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { present } from "../present.mjs";

/**
 * How this machine lets us make one: as root, or as a user that the kernel lets map itself to root. Null if neither works.
 *
 * @returns {[string, ...string[]] | null}
 */
export function namespaceCommand() {
  const flags = ["--pid", "--fork", "--kill-child", "--mount-proc", "--net"];
  // By its path, since a test may leave the process no PATH.
  const unshare = (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, "unshare"))
    .find(existsSync);
  if (unshare === undefined) return null;
  for (const more of [[], ["--user", "--map-root-user"]]) {
    try {
      execFileSync(unshare, [...more, ...flags, process.execPath, "--version"], { stdio: "ignore" });
      // Without a network of its own: the test has to reach it.
      return [unshare, ...more, ...flags.slice(0, -1)];
    } catch {
      // Not installed, or not allowed.
    }
  }
  return null;
}

/**
 * Runs Node with these arguments in a process namespace of its own, where it has another process id than outside; in this
 * namespace if the machine allows no other, which `isForeign` says.
 *
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 */
export function spawnForeign(args, options = {}) {
  const command = namespaceCommand();
  const [program = process.execPath, ...rest] = [...(command ?? []), process.execPath, ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], ...options });
  return {
    child,
    isForeign: command !== null,
    /** The id that the process itself has out here. */
    pid: () => (command === null ? present(child.pid) : innermost(present(child.pid))),
  };
}

/** @param {number} pid */
function innermost(pid) {
  const [inner] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  if (!inner) throw new Error(`process ${pid} has no child yet`);
  return Number(inner);
}
