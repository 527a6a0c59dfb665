// Bundlers of servers put the package into one file. The file is run in a folder that has no packages, against the real
// service.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";

import { project } from "../support/package/packed.mjs";
import { serve } from "../support/service/serve.mjs";

const run = promisify(execFile);

const SERVER = `
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
const EXPECTED = { names: ["shown"], refused: true };

/** @type {import("../support/package/packed.mjs").Project} */
let user;
/** @type {import("../support/service/serve.mjs").Served} */
let service;

before(async () => {
  user = await project();
  await writeFile(join(user.root, "server.js"), SERVER);
  service = await serve();
  await service.api("POST", `/${service.org}/repos`, { name: "shown" });
});

after(async () => {
  await service?.stop();
  await user?.remove();
});

/**
 * Runs a file, and returns the JSON that it prints. It must not print a warning.
 *
 * @param {string} file
 * @param {string} cwd
 */
async function printed(file, cwd) {
  const env = { ...process.env, REFSYNC_URL: service.origin, REFSYNC_API_KEY: service.apiKey };
  const { stdout, stderr } = await run(process.execPath, [file], { cwd, env });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

for (const [format, file] of /** @type {const} */ ([
  ["esm", "server.mjs"],
  ["cjs", "server.cjs"],
])) {
  test(`esbuild's bundle for Node as ${format} calls the service`, { timeout: 60_000 }, async () => {
    const out = join(user.tarball.path, "..", `esbuild-${format}`);
    await mkdir(out);
    const options = { absWorkingDir: user.root, entryPoints: ["server.js"], outfile: join(out, file), format };
    // esbuild prints a warning if a CommonJS bundle contains import.meta, so warnings count.
    const { warnings } = await build({ ...options, bundle: true, platform: "node", logLevel: "silent" });
    assert.deepEqual(warnings, []);
    assert.deepEqual(await readdir(out), [file], "one file has everything");
    assert.deepEqual(await printed(file, out), EXPECTED);
  });
}

test("a CommonJS program loads the package with require()", { timeout: 60_000 }, async () => {
  const program = SERVER.replace(/^import (.*) from (.*);$/m, "const $1 = require($2);");
  assert.match(program, /require\("refsync"\)/);
  await writeFile(join(user.root, "server.cjs"), program);
  assert.deepEqual(await printed("server.cjs", user.root), EXPECTED);
});
