// The notes of a version: its part of CHANGELOG.md. `node scripts/release/notes.mjs 0.1.0` prints them.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root, StepError } from "../command.mjs";

/**
 * The notes of a version, and what stands after its number in the heading, such as the date.
 *
 * @param {string} changelog
 * @param {string} version
 */
export function notesOf(changelog, version) {
  for (const part of changelog.split(/^## /m).slice(1)) {
    const [heading = "", ...lines] = part.split("\n");
    const [number, ...rest] = heading.split(" ");
    if (number === version) return { state: rest.join(" "), notes: `${lines.join("\n").trim()}\n` };
  }
  throw new StepError(`CHANGELOG.md has no section ## ${version}`);
}

/** CHANGELOG.md. */
export function changelog() {
  return readFileSync(join(root, "CHANGELOG.md"), "utf8");
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const [version] = process.argv.slice(2);
    if (!version) throw new StepError("usage: node scripts/release/notes.mjs VERSION");
    process.stdout.write(notesOf(changelog(), version).notes);
  });
}
