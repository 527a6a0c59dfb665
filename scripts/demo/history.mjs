// Provides a history to show: that of this checkout, or a generated one if the checkout has too little.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { output, root, run } from "../command.mjs";
import { generated } from "./generated-history.mjs";

const fewestCommits = 10;

/**
 * Calls `use` with a bare repository that has `main`, release branches, and tags of both kinds; removes it afterwards.
 *
 * @param {(repository: string) => Promise<void>} use
 */
export async function withHistory(use) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-demo-"));
  const repository = join(folder, "history.git");
  try {
    const commits = Number(output("git", ["rev-list", "--count", "HEAD"]) ?? 0);
    const shallow = output("git", ["rev-parse", "--is-shallow-repository"]) !== "false";
    if (commits >= fewestCommits && !shallow) await copyOfCheckout(repository);
    else await generate(repository);
    await use(repository);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Only reads the checkout. Refs that a demonstration needs and the checkout lacks are added to the copy.
 *
 * @param {string} repository
 */
async function copyOfCheckout(repository) {
  await run("git", ["clone", "--quiet", "--bare", root, repository]);
  /** @param {string[]} args */
  const at = (...args) => output("git", ["--git-dir", repository, ...args]) ?? "";
  /** @param {string[]} args */
  const git = (...args) =>
    run("git", ["--git-dir", repository, "-c", "user.name=demo", "-c", "user.email=demo@localhost", ...args]);
  await git("update-ref", "refs/heads/main", "HEAD");
  const commits = at("rev-list", "main").split("\n");
  const older = commits[Math.floor(commits.length / 2)] ?? "main";
  const newer = commits[Math.floor(commits.length / 5)] ?? "main";
  const refs = at("for-each-ref", "--format=%(refname) %(objecttype)");
  if (!refs.includes("refs/heads/release/")) {
    await git("branch", "release/1", older);
    await git("branch", "release/2", newer);
  }
  if (!/^refs\/tags\/\S+ tag$/m.test(refs)) await git("tag", "-a", "-m", "A first release", "demo-v1.0.0", older);
  if (!/^refs\/tags\/\S+ commit$/m.test(refs)) await git("tag", "demo-v2.0.0-rc.1", newer);
}

/** @param {string} repository */
async function generate(repository) {
  await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", repository]);
  const child = spawn("git", ["--git-dir", repository, "fast-import", "--quiet"], { stdio: ["pipe", 2, 2] });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
    child.stdin?.on("error", reject);
    child.stdin?.end(generated());
  });
  if (code !== 0) throw new Error(`git fast-import: exit code ${code}`);
}
