// Each bundler makes one file for Node from the packed package, with its own defaults. The file is run in a folder that has no
// packages, against the real service. esbuild is in `tests/runtimes`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { project } from "../support/package/packed.mjs";
import { serve } from "../support/service/serve.mjs";

const SERVER = `
import { SyncClient } from "refsync";
const main = async () => {
  const names = [];
  for await (const { name } of new SyncClient().repos.list()) names.push(name);
  console.log(JSON.stringify(names));
};
main();
`;

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

/** @typedef {(root: string, out: string) => Promise<void>} Bundle Bundles `server.js` of `root` into the folder `out`. */

/**
 * @param {"es" | "cjs"} format
 * @returns {Bundle}
 */
const rollup = (format) => async (root, out) => {
  const { rollup } = await import("rollup");
  const { nodeResolve } = await import("@rollup/plugin-node-resolve");
  const bundle = await rollup({ input: join(root, "server.js"), plugins: [nodeResolve()] });
  await bundle.write({ file: join(out, format === "es" ? "server.mjs" : "server.cjs"), format });
};

/** @type {Record<string, Bundle>} */
const bundlers = {
  "Rollup, as an ES module": rollup("es"),
  "Rollup, as CommonJS": rollup("cjs"),
  async webpack(root, out) {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production",
      target: "node",
      context: root,
      entry: "./server.js",
      output: { path: out, filename: "server.cjs" },
      performance: { hints: false },
    });
    /** @type {import("webpack").Stats} */
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString("errors-warnings"));
  },
  async "Vite's server build"(root, out) {
    const { build } = await import("vite");
    await build({
      root,
      logLevel: "error",
      configFile: false,
      ssr: { noExternal: true },
      build: { ssr: "server.js", outDir: out, rolldownOptions: { output: { entryFileNames: "server.mjs" } } },
    });
  },
};

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name}: the bundle for Node calls the service`, { timeout: 60_000 }, async () => {
    const out = join(user.tarball.path, "..", name.replaceAll(/\W+/g, "-"));
    await mkdir(out);
    await bundle(user.root, out);
    const files = await readdir(out);
    assert.equal(files.length, 1, files.join(" "));
    const env = { ...process.env, REFSYNC_URL: service.origin, REFSYNC_API_KEY: service.apiKey };
    const ran = await promisify(execFile)(process.execPath, files, { cwd: out, env });
    assert.equal(ran.stderr, "");
    assert.deepEqual(JSON.parse(ran.stdout), ["shown"]);
  });
}
