// Installs packages that only one command needs into that command's folder, on first use.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run, say } from "./command.mjs";

/**
 * Installs the dependencies of the `package.json` in `folder`. Quick if they are installed already.
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
  // Not `npm ci`, because it refuses a lock file without the binaries of other platforms. A registry mirror may not have
  // those.
  await run("npm", ["install", "--no-save", "--no-fund", "--no-audit"], { cwd: folder });
  writeFileSync(stamp, digest);
}
