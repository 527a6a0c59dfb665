/** Git itself. It makes the repositories of the tests, and shows their true state. */

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

// No configuration from outside, and fixed names.
const IDENTITY = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org",
};
// The same commits on every machine.
const ENVIRONMENT = {
  ...IDENTITY,
  GIT_AUTHOR_DATE: "2024-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2024-01-01T00:00:00Z",
};

/**
 * Runs `git` in `folder`, and returns its standard output, trimmed.
 *
 * @param {string} folder
 * @param {string[]} args
 */
export async function git(folder, ...args) {
  return output(folder, args, ENVIRONMENT);
}

/**
 * The same, but commits have the current time. So two commits differ even if everything else is the same.
 *
 * @param {string} folder
 * @param {string[]} args
 */
export async function gitNow(folder, ...args) {
  return output(folder, args, IDENTITY);
}

/**
 * @param {string} folder
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function output(folder, args, env) {
  const { stdout } = await run("git", args, { cwd: folder, env, maxBuffer: 1 << 26 });
  return stdout.trim();
}

/** @typedef {Awaited<ReturnType<typeof workTree>>} WorkTree */

/** A new repository with a work tree, on `main`. `remove` deletes it. */
export async function workTree() {
  const folder = await mkdtemp(join(tmpdir(), "refsync-git-"));
  await git(folder, "init", "--quiet", "--initial-branch=main");
  return {
    folder,
    /** @param {string[]} args */
    git: (...args) => git(folder, ...args),
    /**
     * Makes an empty commit on the current branch, and returns its id.
     *
     * @param {string} message
     */
    commit: async (message) => {
      await git(folder, "commit", "--quiet", "--allow-empty", "-m", message);
      return git(folder, "rev-parse", "HEAD");
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * The output of `git for-each-ref` for the repository at `url`: ids by full ref name.
 *
 * @param {string} url
 */
export async function refsOf(url) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-mirror-"));
  try {
    await git(folder, "clone", "--quiet", "--mirror", url, "mirror.git");
    const listed = await git(join(folder, "mirror.git"), "for-each-ref", "--format=%(refname) %(objectname)");
    return byName(listed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Ids by ref name, from lines such as `refs/heads/main 5f4d…`.
 *
 * @param {string} lines
 * @returns {Record<string, string>}
 */
export function byName(lines) {
  return Object.fromEntries(
    lines
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ")),
  );
}
