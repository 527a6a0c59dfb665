/**
 * The key files of a service, which are part of a backup.
 *
 * @module
 */

import { chmod, copyFile, open, stat } from "node:fs/promises";
import { join } from "node:path";

import { KEY_FILES } from "./format.js";

/** Copies the keys that exist from one folder to the other. Only their owner can read the copies. */
export async function copyKeys(from: string, to: string): Promise<void> {
  for (const name of KEY_FILES) {
    if ((await stat(join(from, name)).catch(() => null)) === null) continue;
    const copy = join(to, name);
    await copyFile(join(from, name), copy);
    await chmod(copy, 0o600);
    const file = await open(copy);
    await file.sync();
    await file.close();
  }
}
