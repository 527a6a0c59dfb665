// What a user's browser has to load, gzipped: prints it, and fails above the budgets. `node scripts/sizes.mjs`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { main, root, StepError } from "./command.mjs";
import { compilesStd } from "./tools.mjs";

/**
 * The most bytes that the WebAssembly of a build and its glue may have together, gzipped. A KB is 1,000 bytes. Pages load the client
 * and the engine; the service is server code. A budget is a limit, not a reason for clever code.
 */
const budgets = { client: 60_000, engine: 210_000, service: 350_000 };

await main(async () => {
  const over = [];
  for (const [build, budget] of Object.entries(budgets)) {
    const sizes = ["refsync_bg.wasm", "refsync.js"].map((name) => gzipped(`pkg/dist/wasm/${build}/${name}`));
    const total = sizes[0] + sizes[1];
    console.log(
      `${build.padEnd(7)} ${kb(total)} gzipped (wasm ${kb(sizes[0])}, glue ${kb(sizes[1])}), budget ${kb(budget)}`,
    );
    if (total > budget) over.push(`${build} has ${total - budget} bytes too many`);
  }
  if (over.length > 0)
    throw new StepError(compilesStd() ? over.join("; ") : `${over.join("; ")}; install rust-src and build again`);
});

function gzipped(path) {
  return gzipSync(readFileSync(join(root, path)), { level: 9 }).length;
}

function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
