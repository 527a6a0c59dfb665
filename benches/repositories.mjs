// Repositories to measure with, made by script: the same on every machine.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

/** What is made where none is given: how large the packs are, about, and how many refs. */
const shapes = [
  { name: "70 MB, 3,000 refs", megabytes: 70, refs: 3_000 },
  { name: "400 MB, 600 refs", megabytes: 400, refs: 600 },
  { name: "1 MB, 100,000 refs", megabytes: 1, refs: 100_000 },
];

/** How many commits the work "20 new commits" takes off, and the one that is the newest then. */
const NEWEST = 21;

/** The given repositories, or generated ones kept in `folder`. */
export async function repositories(folder, given) {
  if (given.length > 0) return given.map((path) => ({ name: basename(path).replace(/\.git$/, ""), path }));
  mkdirSync(folder, { recursive: true });
  const made = [];
  for (const shape of shapes) {
    const path = join(folder, `${shape.megabytes}mb-${shape.refs}-v${VERSION}.git`);
    if (!existsSync(path)) {
      rmSync(`${path}.new`, { recursive: true, force: true });
      await generate(`${path}.new`, shape);
      renameSync(`${path}.new`, path);
    }
    made.push({ name: shape.name, path });
  }
  return made;
}

/** In a folder's name, so that what an older script has made is not taken. */
const VERSION = 3;

/** How many commits in a row replace the same file. */
const REVISIONS = 25;

/**
 * Commits that each replace a file. Half of its bytes change from one to the next; `git fast-import` makes a delta of a file on the one
 * that came before it, so that a commit adds the other half to the pack.
 */
async function generate(path, { megabytes, refs }) {
  const git = (...args) => execFileSync("git", ["-C", path, ...args]);
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", path]);
  const child = spawn("git", ["fast-import", "--quiet"], { cwd: path, stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  const write = async (part) => {
    if (!child.stdin.write(part)) await once(child.stdin, "drain");
  };
  const size = 32 * 1024;
  const commits = Math.ceil((megabytes * 1024 * 1024) / size);
  for (let n = 1; n <= commits; n++) {
    const from = n > 1 ? `from :${n - 1}\n` : "";
    const when = 1_600_000_000 + n * 60;
    await write(
      `commit refs/heads/main\nmark :${n}\ncommitter A <a@example.org> ${when} +0000\ndata 5\n${String(n).padStart(5, "0")}\n${from}`,
    );
    const file = Math.floor(n / REVISIONS);
    await write(`M 644 inline d${file % 20}/f${file}\ndata ${2 * size}\n`);
    await write(noise(`old ${file}`, size));
    await write(noise(`new ${n}`, size));
    await write("\n");
  }
  // None at the newest commits: twenty new ones are then news of one branch, as they mostly are.
  const old = Math.max(1, commits - NEWEST);
  for (let n = 0; n < refs; n++) {
    await write(`reset refs/${n % 2 ? "tags/t" : "heads/b"}${n}\nfrom :${1 + ((n * 7919) % old)}\n\n`);
  }
  child.stdin.end();
  if ((await ended)[0] !== 0) throw new Error("git fast-import failed");
  git("repack", "-adq");
  git("pack-refs", "--all");
}

/** Bytes that do not compress, the same for the same seed. */
function noise(seed, length) {
  return createHash("shake256", { outputLength: length }).update(seed).digest();
}
