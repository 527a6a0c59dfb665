// The packed package in what users build and run it with: `node scripts/matrix.mjs runtimes|packaging`.
//
// Runtimes and bundlers are installed on first use only: together they are larger than everything else here.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "./build.mjs";
import { main, root, run, StepError, say } from "./command.mjs";
import { setup } from "./setup.mjs";
import { chromium } from "./tools.mjs";

await main(async () => {
  const name = process.argv[2];
  if (name !== "runtimes" && name !== "packaging") throw new StepError("say runtimes or packaging");
  const folder = join(root, "tests", name);
  await setup({ tests: true });
  await build();
  await install(folder);
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.mjs"));
  const env = { ...process.env, CHROME_PATH: chromium(), REFSYNC_MATRIX: "all" };
  await run(process.execPath, ["--test", "--test-reporter=spec", ...files.map((file) => join(folder, file))], { env });
});

async function install(folder) {
  const digest = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const stamp = join(folder, "node_modules/.refsync-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  say(`npm install in ${folder}`);
  // Not `npm ci`: it refuses a lock file that lacks other platforms' binaries, which a registry mirror need not hold.
  await run("npm", ["install", "--no-save", "--no-fund", "--no-audit"], { cwd: folder });
  writeFileSync(stamp, digest);
}
