/** A bundler of servers puts the packed package into one file, which is run in a folder without packages. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { serve } from "../service/serve.mjs";
import { project } from "./packed.mjs";

/** A program of a user: lists repositories, and asks for one that is missing. It has no `await` at its top, for CommonJS. */
export const PROGRAM = `
import { NotFoundError, SyncClient } from "refsync";
const client = new SyncClient();
const main = async () => {
  const names = [];
  for await (const { name } of client.repos.list()) names.push(name);
  const error = await client.repos.get({ repo: "there-is-none" }).catch((error) => error);
  console.log(JSON.stringify({ names, refused: error instanceof NotFoundError }));
};
main();
`;

/**
 * A project with the package, and a service. The project's `server.js` is {@link PROGRAM}.
 */
export async function bundled() {
  const user = await project();
  await writeFile(join(user.root, "server.js"), PROGRAM);
  const service = await serve();
  await service.api("POST", `/${service.org}/repos`, { name: "shown" });

  /**
   * Runs a file of the program. It must print the right answers of the service, and no warning.
   *
   * @param {string} file
   * @param {string} cwd
   */
  const works = async (file, cwd) => {
    const env = { ...process.env, REFSYNC_URL: service.origin, REFSYNC_API_KEY: service.apiKey };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd, env });
    assert.equal(stderr, "");
    assert.deepEqual(JSON.parse(stdout), { names: ["shown"], refused: true });
  };

  return {
    root: user.root,
    works,
    /**
     * Makes a bundle in a folder of its own, and runs it. It must be one file.
     *
     * @param {string} name The folder's name.
     * @param {(root: string, out: string) => Promise<void>} bundle Bundles `server.js` of `root` into the folder `out`.
     */
    async bundleWorks(name, bundle) {
      const out = join(user.root, "..", name.replaceAll(/\W+/g, "-"));
      await mkdir(out);
      await bundle(user.root, out);
      const files = await readdir(out);
      assert.equal(files.length, 1, files.join(" "));
      await works(String(files[0]), out);
    },
    async stop() {
      await service.stop();
      await user.remove();
    },
  };
}
