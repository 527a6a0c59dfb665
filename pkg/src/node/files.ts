/**
 * Files and folders that may be missing.
 *
 * @module
 */
import { link, readdir, readFile, stat } from "node:fs/promises";

/** The text of a file; null if there is no such file. Linux says ESRCH for the `/proc` file of a process that has ended. */
export async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(except(null, "ENOENT", "ESRCH"));
}

/** The names in a folder; none if there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(except([], "ENOENT"));
}

/** Gives a file a second name. False if something has that name already. */
export async function linkIfFree(from: string, to: string): Promise<boolean> {
  return link(from, to).then(() => true, except(false, "EEXIST"));
}

/** Whether a file or folder exists and can be reached. */
export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Handles a failure: gives `value` for these error codes, and throws any other error. */
function except<T>(value: T, ...codes: string[]): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (codes.includes(error.code ?? "")) return value;
    throw error;
  };
}
