// The state before each turn: repositories in a scratch folder, made from the measured one.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The environment of every Git in the comparison. It excludes the user's configuration. */
export const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/**
 * Runs Git in a repository, and returns its output.
 *
 * @param {string} path
 * @param {string[]} args
 */
export function git(path, ...args) {
  return execFileSync("git", ["-C", path, ...args], { env: environment, encoding: "utf8", maxBuffer: 1 << 28 }).trim();
}

/**
 * Makes an empty bare repository that accepts pushes.
 *
 * @param {string} path
 */
export function empty(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  git(path, "init", "--quiet", "--bare", "--initial-branch=main");
  git(path, "config", "http.receivepack", "true");
  git(path, "config", "receive.autogc", "false");
}

/**
 * Copies a repository. The copy shares the pack by a hard link if possible, and has its own refs.
 *
 * @param {string} from
 * @param {string} to
 */
export function restore(from, to) {
  empty(to);
  for (const part of ["objects", "refs"]) {
    execFileSync("bash", [
      "-c",
      'rm -rf "$2" && cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"',
      "bash",
      join(from, part),
      join(to, part),
    ]);
  }
  // Copied, because a write to a hard link would change the original.
  if (existsSync(join(from, "packed-refs"))) cpSync(join(from, "packed-refs"), join(to, "packed-refs"));
  git(to, "symbolic-ref", "HEAD", git(from, "symbolic-ref", "HEAD"));
}

/**
 * Makes a copy with only the branches and tags. It has no other refs such as a host's `refs/pull/`, because these would be
 * extra work for a contestant that mirrors everything. It has no objects that only such refs need either, because a fetch
 * would find them and not ask for them.
 *
 * @param {string} from
 * @param {string} to
 */
export function distil(from, to) {
  empty(to);
  const one = ["-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1"];
  const namespaces = ["heads", "tags"].map((name) => `+refs/${name}/*:refs/${name}/*`);
  git(to, ...one, "fetch", "--quiet", "--no-auto-gc", `file://${resolve(from)}`, ...namespaces);
  git(to, "pack-refs", "--all");
  git(to, "symbolic-ref", "HEAD", defaultBranch(to));
}

/**
 * Moves the default branch back by 20 commits, and removes all refs that need those commits.
 *
 * @param {string} path
 */
export function rewind(path) {
  const branch = defaultBranch(path);
  const old = git(path, "rev-list", "--first-parent", "--skip=20", "--max-count=1", branch);
  if (!old) throw new Error(`${branch} has no 20 commits to take back`);
  const later = git(path, "for-each-ref", `--contains=${old}`, "--format=delete %(refname)", "refs/heads", "refs/tags");
  const deletions = later.split("\n").filter((line) => line && !line.endsWith(` ${branch}`));
  updateRefs(path, [...deletions, `update ${branch} ${old}`]);
}

/**
 * `refs/heads/main`, or the repository's own default branch.
 *
 * @param {string} path
 */
export function defaultBranch(path) {
  const names = git(path, "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/heads/master").split("\n");
  return names[0] || git(path, "for-each-ref", "--count=1", "--format=%(refname)", "refs/heads");
}

/**
 * The refs of the comparison, one `name id` per line.
 *
 * @param {string} path
 * @param {string[]} patterns
 */
export function refs(path, ...patterns) {
  return git(path, "for-each-ref", "--format=%(refname) %(objectname)", ...patterns);
}

/**
 * The size of a repository's packs in bytes.
 *
 * @param {string} path
 */
export function packSize(path) {
  const folder = join(path, "objects/pack");
  const packs = readdirSync(folder).filter((name) => name.endsWith(".pack"));
  return packs.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/**
 * @param {string} path
 * @param {string[]} commands
 */
function updateRefs(path, commands) {
  const input = commands.map((command) => `${command}\n`).join("");
  execFileSync("git", ["-C", path, "update-ref", "--stdin"], { env: environment, input });
}
