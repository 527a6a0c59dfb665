/**
 * Copies bare repositories, and checks that copies are unchanged.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";

import { git, gitEnd } from "../git/command.js";
import { deepDamage, quickDamage } from "../git/damage.js";
import { makeEmpty, removeAll } from "../git/rebuild.js";
import { salvage } from "../git/salvage.js";

/** A copy of a repository. */
export interface Copied {
  /** How many refs it has; null if there is no copy. */
  refs: number | null;
  /** The hash of its refs. */
  sha256: string | null;
  /** Why it is not the whole repository. */
  damaged?: string;
}

/**
 * Copies a repository through Git's own transport, which reads and checks every object, even during pushes to the source. Of a
 * damaged repository, copies the intact refs. Rejects if the copy cannot be written.
 */
export async function copyRepository(from: string, to: string, head: string): Promise<Copied> {
  const root = dirname(to);
  await mkdir(root, { recursive: true });
  const clone = ["clone", "--quiet", "--mirror", "--no-local", "--template=", resolve(from), to];
  const end = await gitEnd(root, [...SYNCED, ...clone]);
  if (end.code === 0) {
    // The remote `origin` would reveal the source's path, and Git would fetch from it by name.
    await git(root, ["--git-dir", to, "config", "--remove-section", "remote.origin"]);
    await git(root, ["--git-dir", to, "symbolic-ref", "HEAD", `refs/heads/${head}`]);
    return refsOf(to);
  }
  await removeAll(to);
  const damage = await deepDamage(from);
  // The source is intact, so the copy failed, for example because the disk is full.
  if (damage === null) throw new Error(`git clone: ${end.stderr || `ended with ${end.code}`}`);
  if (!damage.isLasting) throw new Error(`${from}: ${damage.reason}`);
  await makeEmpty(to, head);
  const { saved } = await salvage(from, to);
  if (saved > 0) return { ...(await refsOf(to)), damaged: damage.reason };
  await rm(to, { recursive: true, force: true });
  return { refs: null, sha256: null, damaged: damage.reason };
}

/** How many refs a repository has, and their hash with the branch that HEAD names. Rejects if Git cannot list them. */
export async function refsOf(path: string): Promise<{ refs: number; sha256: string }> {
  const hash = createHash("sha256");
  let refs = 0;
  const head = await git(dirname(path), ["--git-dir", path, "symbolic-ref", "HEAD"]);
  hash.update(`${head}\n`);
  const list = ["--git-dir", path, "for-each-ref", "--format=%(refname) %(objectname)"];
  const end = await gitEnd(dirname(path), list, (chunk) => {
    hash.update(chunk);
    for (const byte of chunk) if (byte === 0x0a) refs += 1;
  });
  if (end.code !== 0) throw new Error(`git for-each-ref: ${end.stderr}`);
  return { refs, sha256: hash.digest("hex") };
}

/** What is wrong with a copy; null if it is unchanged. `isThorough` reads every object. */
export async function copyDamage(
  path: string,
  written: { refs: number; sha256: string } | null,
  isThorough: boolean,
): Promise<string | null> {
  const damage = await (isThorough ? deepDamage(path) : quickDamage(path));
  if (damage !== null) return damage.reason;
  if (written === null) return null;
  const found = await refsOf(path);
  return found.sha256 === written.sha256
    ? null
    : `it has ${found.refs} refs, and not the ${written.refs} that it was written with`;
}

/**
 * Runs `work` for each item, several at a time. After the first failure it starts no more, waits for the running ones, and rejects.
 */
export async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const next = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async () => {
    for (let item = next.next(); !item.done && failures.length === 0; item = next.next()) {
      await work(item.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
  if (failures.length > 0) throw failures[0];
}

/** Makes Git write the copy to the disk before the backup counts as complete. */
const SYNCED = ["-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync"];
