/** Runs processes in process namespaces of their own, like two containers on one machine. */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { present } from "../present.mjs";

/**
 * The command that makes a namespace on this machine: as root, or as a user that may map itself to root. Null if neither
 * works.
 *
 * @returns {[string, ...string[]] | null}
 */
export function namespaceCommand() {
  const flags = ["--pid", "--fork", "--kill-child", "--mount-proc", "--net"];
  // Uses its path, because a test may give the process no PATH.
  const unshare = (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, "unshare"))
    .find(existsSync);
  if (unshare === undefined) return null;
  for (const more of [[], ["--user", "--map-root-user"]]) {
    try {
      execFileSync(unshare, [...more, ...flags, process.execPath, "--version"], { stdio: "ignore" });
      // Shares the network, because the test has to reach the process.
      return [unshare, ...more, ...flags.slice(0, -1)];
    } catch {
      // Not installed, or not allowed.
    }
  }
  return null;
}

/**
 * Runs Node with these arguments in a process namespace of its own, in which its process id differs from the outside. If
 * the machine does not allow this, runs it in the present namespace. `isForeign` shows which.
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
    /** The id of the process itself outside the namespace. */
    pid: () => (command === null ? present(child.pid) : innermost(present(child.pid))),
  };
}

/** @param {number} pid */
function innermost(pid) {
  const [inner] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  if (!inner) throw new Error(`process ${pid} has no child yet`);
  return Number(inner);
}
