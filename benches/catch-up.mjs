// Catch-ups: one branch moves by many commits in one sync. refsync reads each of them to prove that the branch moves
// forward. The benchmark measures the memory of refsync's process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { say } from "../scripts/command.mjs";
import { contestants } from "./contestants.mjs";
import { empty, environment, git, refs } from "./fixtures.mjs";
import { measure } from "./measure.mjs";

/** @import { CatchUp, Place } from "./types.mjs" */

/** The number of commits, and the most megabytes that the process may use. */
const catchUps = [
  { commits: 300_000, most: 130 },
  { commits: 1_000_000, most: 200 },
];

/**
 * Measures each of them once, because a process's peak memory does not depend on other work on the machine.
 *
 * @param {string} folder
 * @param {(id: string) => Place} place
 * @returns {Promise<CatchUp[]>}
 */
export async function caughtUp(folder, place) {
  const results = [];
  for (const { commits, most } of catchUps) {
    const [source, destination] = [place("source"), place("destination")];
    empty(source.path);
    git(source.path, "config", "uploadpack.allowFilter", "true");
    await grow(source.path, commits);
    empty(destination.path);
    git(source.path, "push", "--quiet", destination.path, "refs/tags/first:refs/heads/main");
    const scratch = join(folder, "scratch.git");
    const at = { source, destination, old: "", kept: "", scratch, branch: "refs/heads/main" };
    const { wall, memory } = await measure(contestants.refsync(at), { env: environment });
    if (refs(source.path) !== refs(destination.path)) throw new Error("catch-up: the refs differ afterwards");
    say(`catch-up of ${commits.toLocaleString("en")} commits: ${memory.toFixed(0)} MB, ${wall.toFixed(1)} s`);
    results.push({ commits, most, memory, wall });
    for (const { path } of [source, destination]) rmSync(path, { recursive: true });
  }
  return results;
}

/**
 * Makes a row of commits with messages of 60 to 260 bytes, and a tag on the first one. They have no files, because files
 * use no memory in refsync.
 *
 * @param {string} path
 * @param {number} commits
 */
async function grow(path, commits) {
  const child = spawn("git", ["fast-import", "--quiet"], { cwd: path, stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  for (let n = 0; n <= commits; ) {
    const part = [];
    for (const end = Math.min(n + 1000, commits + 1); n < end; n++) {
      const message = `commit ${n}: ${"and what it is good for, ".repeat(2 + ((n * 7919) % 9))}`;
      const when = 1_500_000_000 + n * 60;
      part.push(
        `commit refs/heads/main\ncommitter A <a@example.org> ${when} +0000\ndata ${message.length}\n${message}\n`,
      );
      if (n === 0) part.push("\nreset refs/tags/first\nfrom refs/heads/main\n\n");
    }
    if (!child.stdin.write(part.join(""))) await once(child.stdin, "drain");
  }
  child.stdin.end();
  if ((await ended)[0] !== 0) throw new Error("git fast-import failed");
}
