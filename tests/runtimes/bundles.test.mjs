// Bundlers of servers put the package into one file. The file is run in a folder that has no packages, against the real
// service.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";

import { bundled, PROGRAM } from "../support/package/bundled.mjs";

/** @type {Awaited<ReturnType<typeof bundled>>} */
let user;

before(async () => {
  user = await bundled();
});

after(() => user?.stop());

for (const [format, file] of /** @type {const} */ ([
  ["esm", "server.mjs"],
  ["cjs", "server.cjs"],
])) {
  test(`esbuild's bundle for Node as ${format} calls the service`, { timeout: 60_000 }, () =>
    user.bundleWorks(`esbuild-${format}`, async (root, out) => {
      const options = { absWorkingDir: root, entryPoints: ["server.js"], outfile: join(out, file), format };
      // esbuild prints a warning if a CommonJS bundle contains import.meta, so warnings count.
      const { warnings } = await build({ ...options, bundle: true, platform: "node", logLevel: "silent" });
      assert.deepEqual(warnings, []);
    }),
  );
}

test("a CommonJS program loads the package with require()", { timeout: 60_000 }, async () => {
  const program = PROGRAM.replace(/^import (.*) from (.*);$/m, "const $1 = require($2);");
  assert.match(program, /require\("refsync"\)/);
  await writeFile(join(user.root, "server.cjs"), program);
  await user.works("server.cjs", user.root);
});
