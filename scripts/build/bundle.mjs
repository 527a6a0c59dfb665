// Makes the `refsync` command one file.
import { dirname, join } from "node:path";

import { build } from "rolldown";

/**
 * Bundles the command in `folder`: Node takes about a millisecond for each module that it loads, and `refsync sync` is thirty of
 * them. As CommonJS, for Node's loader of ES modules costs another ten. What other commands load stays as it is.
 *
 * @param {string} folder
 */
export async function bundleCommand(folder) {
  /** @type {import("rolldown").Plugin} */
  const others = {
    name: "other commands",
    resolveDynamicImport: (id, importer) =>
      typeof id === "string" && importer && id.startsWith(".") && id !== "./sync/sync.js"
        ? { id: join(dirname(importer), id), external: true }
        : null,
  };
  await build({
    input: join(folder, "main.js"),
    platform: "node",
    // Progress is loaded where there is a terminal.
    external: [/^node:/, "cli-progress"],
    // The package's own import is an ES module.
    resolve: { alias: { "#engine-wasm": join(folder, "engine-wasm.js") } },
    plugins: [others],
    output: { file: join(folder, "main.cjs"), format: "cjs", codeSplitting: false, minify: true },
    logLevel: "warn",
  });
}
