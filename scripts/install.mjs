// Packages that only one command needs: installed into its own folder, at its first use.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run, say } from "./command.mjs";

/**
 * Installs what the `package.json` in `folder` asks for; quick where that is there.
 *
 * @param {string} folder
 */
export async function install(folder) {
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
