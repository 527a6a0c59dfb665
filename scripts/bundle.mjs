// Makes the `refsync` command one file.
import { dirname, join } from "node:path";

import { build } from "rolldown";

/**
 * Bundles `file` in place: Node takes about a millisecond for each module that it loads, and `refsync sync` is thirty of
 * them. What other commands load stays as it is.
 */
export async function bundleCommand(file) {
  const others = {
    name: "other commands",
    resolveDynamicImport: (id, importer) =>
      id.startsWith(".") && id !== "./sync.js" ? { id: join(dirname(importer), id), external: true } : null,
  };
  await build({
    input: file,
    platform: "node",
    // The package's own import tells where the WebAssembly is; progress is loaded where there is a terminal.
    external: [/^node:/, "#full-wasm", "cli-progress"],
    plugins: [others],
    output: { file, codeSplitting: false },
    logLevel: "warn",
  });
}
