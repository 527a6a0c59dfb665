// Bundles the `refsync` command into one file.
import { dirname, join } from "node:path";

import { build } from "rolldown";

/**
 * Bundles the command in `folder`. Node needs about a millisecond for each module, and `refsync sync` has thirty of them.
 * The bundle is CommonJS, because Node's loader of ES modules costs another ten milliseconds. Modules that only other
 * commands load are not bundled.
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
    // Progress is loaded only if there is a terminal.
    external: [/^node:/, "cli-progress"],
    // The package's own import is an ES module.
    resolve: { alias: { "#engine-wasm": join(folder, "engine-wasm.js") } },
    plugins: [others],
    output: { file: join(folder, "main.cjs"), format: "cjs", codeSplitting: false, minify: true },
    logLevel: "warn",
  });
}
