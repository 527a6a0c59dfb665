// Makes the module that holds the client's WebAssembly code as text.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { root } from "../command.mjs";
import { once } from "./stamp.mjs";

const folder = "pkg/src/wasm/client";

/**
 * Writes `inline.js` beside the client's WebAssembly file. Every bundler can bundle a module, but each one treats a file that
 * code reads at run time differently, and most of them lose it.
 *
 * gzip, because every runtime can decompress it.
 */
export async function inlineClient() {
  const files = {
    inputs: [`${folder}/refsync_bg.wasm`, "scripts/build/inline.mjs"],
    outputs: [`${folder}/inline.js`, `${folder}/inline.d.ts`],
  };
  await once("inline the client", files, async () => {
    const gzipped = gzipSync(readFileSync(join(root, folder, "refsync_bg.wasm")), { level: 9 });
    writeFileSync(join(root, folder, "inline.js"), `export const base64 = "${gzipped.toString("base64")}";\n`);
    writeFileSync(
      join(root, folder, "inline.d.ts"),
      "/** The WebAssembly code, gzipped, as base64. */\nexport declare const base64: string;\n",
    );
  });
}
