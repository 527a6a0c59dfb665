// Makes the repositories to measure with. They are the same on every machine.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

/** The generated repositories: approximate pack sizes, and numbers of refs. */
const shapes = [
  { name: "70 MB, 3,000 refs", megabytes: 70, refs: 3_000 },
  { name: "400 MB, 600 refs", megabytes: 400, refs: 600 },
  { name: "1 MB, 100,000 refs", megabytes: 1, refs: 100_000 },
];

/** How many commits the work "20 new commits" removes, and the commit that is then the newest. */
const NEWEST = 21;

/**
 * The given repositories, or generated ones that are kept in `folder`.
 *
 * @param {string} folder
 * @param {string[]} given
 */
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

/** Part of the folder's name, so that the repositories of an older script are not used. */
const VERSION = 5;

/** How many commits in a row replace the same file, and the number of files. */
const [REVISIONS, FILES] = [25, 1_000];

/** How many words of a file all revisions share, and how many each revision adds: 19 KB of text, a quarter of it new. */
const [SHARED, NEW] = [2_200, 720];

/** The approximate bytes that a commit adds to the pack: the new words, two trees as deltas, and the commit itself. */
const COMMIT = 2_640;

/**
 * Makes commits that each replace a file, in the proportions of a program's history. Each commit has four objects of 650
 * bytes, most of them deltas, and the unpacked text is eight times as long. So a server has as much work per MB as with a
 * real repository. `git fast-import` stores a file as a delta of the previous one, so no search for deltas is needed.
 *
 * @param {string} path
 * @param {{ megabytes: number, refs: number }} shape
 */
async function generate(path, { megabytes, refs }) {
  /** @param {string[]} args */
  const git = (...args) => execFileSync("git", ["-C", path, ...args]);
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", path]);
  const child = spawn("git", ["fast-import", "--quiet"], { cwd: path, stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  /** @param {string} part */
  const write = async (part) => {
    if (!child.stdin.write(part)) await once(child.stdin, "drain");
  };
  const commits = Math.ceil((megabytes * 1024 * 1024) / COMMIT);
  let shared = text("old 1", SHARED);
  for (let n = 1; n <= commits; n++) {
    const from = n > 1 ? `from :${n - 1}\n` : "";
    const when = 1_600_000_000 + n * 60;
    await write(
      `commit refs/heads/main\nmark :${n}\ncommitter A <a@example.org> ${when} +0000\ndata 7\n${String(n).padStart(7, "0")}\n${from}`,
    );
    const file = Math.floor(n / REVISIONS) % FILES;
    if (n % REVISIONS === 0) shared = text(`old ${n}`, SHARED);
    const content = shared + text(`new ${n}`, NEW);
    await write(`M 644 inline d${file % 20}/f${file}\ndata ${content.length}\n${content}\n`);
  }
  // The newest commits have no refs, so twenty new commits change only one branch. This is the usual case.
  const old = Math.max(1, commits - NEWEST);
  for (let n = 0; n < refs; n++) {
    await write(`reset refs/${n % 2 ? "tags/t" : "heads/b"}${n}\nfrom :${1 + ((n * 7919) % old)}\n\n`);
  }
  child.stdin.end();
  if ((await ended)[0] !== 0) throw new Error("git fast-import failed");
  git("repack", "-adq");
  git("pack-refs", "--all");
}

/**
 * Text of this many words in lines. The same seed gives the same text.
 *
 * @param {string} seed
 * @param {number} length
 */
function text(seed, length) {
  const picks = createHash("shake256", { outputLength: length }).update(seed).digest();
  return Array.from(picks, (pick, n) => `${WORDS[pick]}${n % 10 === 9 ? "\n" : " "}`).join("");
}

/** 256 words of three to eight letters. */
const WORDS = Array.from({ length: 256 }, (_, n) => {
  const letters = createHash("sha256").update(`word ${n}`).digest();
  return String.fromCharCode(...letters.subarray(0, 3 + (n % 6)).map((letter) => 97 + (letter % 26)));
});
