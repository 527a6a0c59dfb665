// Each bundler makes one file for Node from the packed package, with its own defaults. The file is run in a folder that has no
// packages, against the real service. esbuild is in `tests/runtimes`.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bundled } from "../support/package/bundled.mjs";

/** @type {Awaited<ReturnType<typeof bundled>>} */
let user;

before(async () => {
  user = await bundled();
});

after(() => user?.stop());

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
  test(`${name}: the bundle for Node calls the service`, { timeout: 60_000 }, () => user.bundleWorks(name, bundle));
}
