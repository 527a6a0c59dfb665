// Tests the packed package in users' runtimes, bundlers and frameworks: `node scripts/matrix.mjs
// [runtimes|packaging|frameworks|docs]`; all of them if none is named.
//
// Runtimes and bundlers are installed on first use, because together they are larger than everything else here. A test of a
// framework installs it with each run, into a folder of its own.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { build } from "./build.mjs";
import { main, root, run, StepError } from "./command.mjs";
import { docs } from "./docs.mjs";
import { install } from "./install.mjs";
import { firefox, setup } from "./setup.mjs";
import { chromium } from "./tools.mjs";

/** @type {Record<string, () => Promise<unknown>>} */
const parts = {
  runtimes: () => tests("runtimes"),
  packaging: () => tests("packaging"),
  frameworks: () => tests("frameworks"),
  docs,
};

await main(async () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
  const chosen = names.map((name) => {
    const part = parts[name];
    if (!part) throw new StepError(`${name} is none of ${Object.keys(parts).join(", ")}`);
    return part;
  });
  await setup({ tests: true });
  if (names.includes("runtimes")) await firefox();
  await build();
  for (const part of chosen) await part();
});

/** @param {string} name */
async function tests(name) {
  const folder = join(root, "tests", name);
  if (existsSync(join(folder, "package.json"))) await install(folder);
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.mjs"));
  const env = { ...process.env, CHROME_PATH: chromium() ?? undefined, REFSYNC_MATRIX: "all" };
  await run(process.execPath, ["--test", "--test-reporter=spec", ...files.map((file) => join(folder, file))], { env });
}
