// Whether this commit may be released as a tag: `node scripts/release/check.mjs v0.1.0`. It checks the address, the versions
// and the notes.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root, StepError, say } from "../command.mjs";
import { address, outOfDate } from "./address.mjs";
import { changelog, notesOf } from "./notes.mjs";

/**
 * Why the tag must not be released; empty if it may be.
 *
 * @param {string} tag
 * @param {{ url: string | null, differing: string[], npm: string, cargo: string, changelog: string, repository?: string | undefined }} facts
 *   `repository` is the one whose workflow runs, such as `acme/refsync`.
 */
export function refusals(tag, { url, differing, npm, cargo, changelog, repository }) {
  const found = [];
  if (url === null) {
    found.push(
      "the repository's address is not set: run node scripts/release/address.mjs https://github.com/OWNER/NAME",
    );
  } else if (repository !== undefined && !url.endsWith(`/${repository}`)) {
    found.push(`the address is ${url}, but this workflow is one of ${repository}; npm would refuse the provenance`);
  }
  if (differing.length > 0) found.push(`these files have another address: ${differing.join(", ")}`);
  if (tag !== `v${npm}`) found.push(`the tag is ${tag}, but pkg/package.json has the version ${npm}`);
  if (cargo !== npm) found.push(`Cargo.toml has the version ${cargo}, but pkg/package.json has ${npm}`);
  try {
    const { state, notes } = notesOf(changelog, npm);
    if (!/^\(\d{4}-\d\d-\d\d\)$/.test(state)) {
      found.push(`the heading of ${npm} in CHANGELOG.md has no date: write ## ${npm} (YYYY-MM-DD)`);
    }
    if (notes.trim() === "") found.push(`CHANGELOG.md has no notes for ${npm}`);
  } catch (error) {
    found.push(error instanceof Error ? error.message : String(error));
  }
  return found;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const [tag] = process.argv.slice(2);
    if (!tag) throw new StepError("usage: node scripts/release/check.mjs TAG");
    const found = refusals(tag, {
      url: address(),
      differing: outOfDate(),
      npm: JSON.parse(readFileSync(join(root, "pkg/package.json"), "utf8")).version,
      cargo: /^version = "(.*)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))?.[1] ?? "",
      changelog: changelog(),
      repository: process.env.GITHUB_REPOSITORY,
    });
    if (found.length > 0) throw new StepError([`${tag} cannot be released:`, ...found].join("\n  "));
    say(`${tag} may be released`);
  });
}
