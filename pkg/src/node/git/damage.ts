/**
 * Whether a bare repository's files are whole.
 *
 * @module
 */

import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type GitEnd, gitEnd } from "./command.js";

/** Why a repository cannot be used. */
export interface Damage {
  /** A description for the user. */
  reason: string;
  /**
   * Whether files are lost or wrong, so the repository must be recreated. False if the file system or the machine kept Git from
   * reading. Then waiting may help.
   */
  isLasting: boolean;
}

/**
 * Checks the folder, the files that Git requires, and that the object of each ref exists. Null if nothing is wrong. Does not check
 * objects that no ref names.
 */
export async function quickDamage(path: string): Promise<Damage | null> {
  const inPlace = await filesDamage(path);
  if (inPlace !== null) return inPlace;
  if (!(await mayHaveRefs(path)))
    return asDamage(await gitEnd(dirname(path), ["--git-dir", path, "rev-parse", "--git-dir"]));
  const everyRef = ["for-each-ref", "--format=%(objecttype)"];
  return asDamage(await gitEnd(dirname(path), ["--git-dir", path, ...everyRef]));
}

/** Also reads every object and compares its hash. Takes as long as reading the whole repository. */
export async function deepDamage(path: string): Promise<Damage | null> {
  const quick = await quickDamage(path);
  if (quick !== null) return quick;
  const fsck = ["fsck", "--full", "--no-dangling", "--no-reflogs", "--no-progress"];
  const end = await gitEnd(dirname(path), ["--git-dir", path, ...fsck]);
  // A history may have old, harmless defects. Git reports them as "error in commit …" and exits with 1.
  const isDefectOnly = end.code === 1 && !/^(error|fatal):/m.test(end.stderr);
  return end.code === 0 || isDefectOnly ? null : asDamage({ ...end, code: end.code });
}

/** Whether the repository has so few refs that the quick look takes some milliseconds. */
export async function hasFewRefs(path: string): Promise<boolean> {
  const { size } = await stat(join(path, "packed-refs")).catch(() => ({ size: 0 }));
  return size < 256 * 1024;
}

/** Checks that the files that every repository has exist. Null if they do. */
export async function filesDamage(path: string): Promise<Damage | null> {
  try {
    if (!(await lstat(path)).isDirectory()) return lasting("a file is in its folder's place");
    for (const name of ["objects", "refs"]) {
      const found = await stat(join(path, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (!found?.isDirectory()) return lasting(`its folder ${name} is missing`);
    }
    const head = await readFile(join(path, "HEAD"), "utf8");
    return /^ref: *refs\/\S/.test(head) ? null : lasting("its file HEAD names no branch");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return lasting((await isThere(path)) ? "its file HEAD is missing" : "its folder is missing");
    if (code === "EISDIR" || code === "ENOTDIR") return lasting("its file HEAD is none");
    if (code === "EACCES" || code === "EPERM") return lasting("its files may not be read: permission denied");
    return { reason: `its files cannot be read now: ${message}`, isLasting: false };
  }
}

/** Turns Git's result into damage; null if there is none. A ref that cannot be read is only a warning to Git. */
function asDamage({ code, stderr }: GitEnd): Damage | null {
  if (code === 0 && !/^error:|ignoring broken ref/m.test(stderr)) return null;
  const [line = `Git ended with ${code}`] = stderr.split("\n").filter(tellsMuch);
  const reason = line.replace(/^(fatal|error|warning): /, "").replace(/'?\/\S*\/([^/\s']+\.git)/g, "$1");
  return { reason: reason.slice(0, 300), isLasting: code !== null && !PASSING.test(stderr) };
}

function lasting(reason: string): Damage {
  return { reason, isLasting: true };
}

function tellsMuch(line: string): boolean {
  return line.trim() !== "" && !line.startsWith("hint:");
}

/** False if there is certainly no ref. Then Git need not list them. */
async function mayHaveRefs(path: string): Promise<boolean> {
  if (await isThere(join(path, "packed-refs"))) return true;
  for (const name of await readdir(join(path, "refs"))) {
    const under = await readdir(join(path, "refs", name)).catch(() => ["?"]);
    if (under.length > 0) return true;
  }
  return false;
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Git's messages for temporary problems of the machine or the file system. They do not mean that the repository is damaged. */
const PASSING =
  /Too many open files|Cannot allocate memory|out of memory|malloc failed|Resource temporarily unavailable|Input\/output error|Stale file handle|Connection timed out|No space left|Transport endpoint/i;
