// Finds folders with too many files directly in them: `node scripts/checks/folders.mjs`. SQL files do not count, because
// each statement and each migration of the service is a file.
import { dirname } from "node:path";

import { isMain, main, output, StepError } from "../command.mjs";

/** The most files in a folder. About a dozen is better. */
const MOST = 16;

/**
 * The folders that have too many of these files, each with its number of files.
 *
 * @param {string[]} files
 * @returns {[folder: string, count: number][]}
 */
export function crowded(files) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const file of files) {
    if (file.endsWith(".sql")) continue;
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > MOST).sort(([, a], [, b]) => b - a);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const files = output("git", ["ls-files"]);
    if (files === null) throw new StepError("git ls-files failed; this check needs a checkout");
    const found = crowded(files.split("\n"));
    if (found.length === 0) return;
    const lines = found.map(([folder, count]) => `  ${folder}: ${count}`).join("\n");
    throw new StepError(
      `folders with more than ${MOST} files directly in them:\n${lines}\nMove files that belong together into a folder.`,
    );
  });
}
