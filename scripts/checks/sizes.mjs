// Measures the gzipped bytes that a user's browser and a server's bundle load. Prints them, and fails if they are above the
// budgets. `node scripts/checks/sizes.mjs`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "rolldown";

import { main, root, StepError } from "../command.mjs";
import { compilesStd } from "../tools.mjs";

/**
 * The budget for the WebAssembly of a build together with its glue, in gzipped bytes. A KB is 1,000 bytes. Pages load the
 * client and the engine; the service is server code. A budget is a limit, not a reason for clever code.
 */
const budgets = { client: 60_000, engine: 210_000, service: 350_000 };

/** The budget for everything that a server's bundle has of `refsync`, in gzipped bytes. It contains the WebAssembly as text. */
const serverBudget = 80_000;

await main(async () => {
  const over = [];
  for (const [build, budget] of Object.entries(budgets)) {
    const wasm = gzipped(`pkg/dist/wasm/${build}/refsync_bg.wasm`);
    const glue = gzipped(`pkg/dist/wasm/${build}/refsync.js`);
    const total = wasm + glue;
    console.log(`${build.padEnd(7)} ${kb(total)} gzipped (wasm ${kb(wasm)}, glue ${kb(glue)}), budget ${kb(budget)}`);
    if (total > budget) over.push(`${build} has ${total - budget} bytes too many`);
  }
  const server = await serverBundle();
  console.log(`server  ${kb(server)} gzipped (the client in a server's bundle), budget ${kb(serverBudget)}`);
  if (server > serverBudget) over.push(`the client in a server's bundle has ${server - serverBudget} bytes too many`);
  if (over.length > 0)
    throw new StepError(compilesStd() ? over.join("; ") : `${over.join("; ")}; install rust-src and build again`);
});

/** The gzipped bytes of the client in a bundle for Node. */
async function serverBundle() {
  const { output } = await build({
    input: join(root, "pkg/dist/index.js"),
    platform: "node",
    write: false,
    output: { format: "esm", minify: true },
    logLevel: "warn",
  });
  return output.reduce((sum, part) => sum + compressed(part.type === "chunk" ? part.code : part.source), 0);
}

/** @param {string} path */
function gzipped(path) {
  return compressed(readFileSync(join(root, path)));
}

/** @param {string | Uint8Array} content */
function compressed(content) {
  return gzipSync(content, { level: 9 }).length;
}

/** @param {number} bytes */
function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
