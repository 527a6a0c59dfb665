/**
 * Recreates a damaged repository.
 *
 * Saves the intact refs. Keeps the damaged folder next to the repositories as `.damaged-<id>-<time>`, so the operator can inspect
 * and delete it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { chmod, lstat, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { git } from "./command.js";
import { deepDamage } from "./damage.js";
import { salvage } from "./salvage.js";

/** The result of a repair. */
export interface Repair {
  /** What was wrong. */
  reason: string;
  /** What could not be saved: names of refs, or a description of the file whose refs could not be read. */
  lost: string[];
  /** Where the damaged files are; null if there were none. */
  kept: string | null;
}

/**
 * Reads the whole repository, and recreates it if it is damaged. Null if nothing is wrong. Rejects if it cannot be read now, but
 * perhaps later.
 */
export async function repair(root: string, id: string, defaultBranch: string): Promise<Repair | null> {
  const path = join(root, `${id}.git`);
  let damage = await deepDamage(path);
  if (damage !== null && /permission denied/i.test(damage.reason)) {
    // The owner can restore the permissions. Then nothing is lost.
    const { reason } = damage;
    await allow(path);
    damage = await deepDamage(path);
    if (damage === null) return { reason, lost: [], kept: null };
  }
  if (damage === null) return null;
  if (!damage.isLasting) throw new Error(damage.reason);
  const unfinished = join(root, `.new-${randomUUID()}`);
  try {
    await makeEmpty(unfinished, defaultBranch);
    const { lost } = await salvage(path, unfinished);
    const kept = await setAside(root, id, path);
    await rename(unfinished, path);
    return { reason: damage.reason, lost, kept };
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Makes an empty bare repository. */
export async function makeEmpty(path: string, defaultBranch: string): Promise<void> {
  const shape = ["--bare", "--quiet", "--object-format=sha1", "--template="];
  await git(dirname(path), ["init", ...shape, `--initial-branch=${defaultBranch}`, path]);
}

/** Removes a folder, even if its owner (this user) may not read it. */
export async function removeAll(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await allow(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Removes the damaged folders that repairs of this repository kept. */
export async function removeKept(root: string, id: string): Promise<void> {
  for (const name of await keptOf(root, id)) await removeAll(join(root, name));
}

/** Moves the damaged folder out of the way. If there are more than three, removes the oldest ones. */
async function setAside(root: string, id: string, path: string): Promise<string | null> {
  const kept = `.damaged-${id}-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  try {
    await rename(path, join(root, kept));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  for (const name of (await keptOf(root, id)).slice(0, -KEPT)) await removeAll(join(root, name));
  return kept;
}

async function keptOf(root: string, id: string): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  return names.filter((name) => name.startsWith(`.damaged-${id}-`)).sort();
}

/** Lets the owner read and write everything in a folder. */
async function allow(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => null);
  if (entry === null || entry.isSymbolicLink()) return;
  await chmod(path, entry.mode | (entry.isDirectory() ? 0o700 : 0o600)).catch(() => {});
  if (!entry.isDirectory()) return;
  for (const name of await readdir(path).catch(() => [])) await allow(join(path, name));
}

/** How many damaged folders of one repository are kept. */
const KEPT = 3;
