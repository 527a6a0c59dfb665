/**
 * Where the WebAssembly code is, for runtimes with Node's `fs`: its `fetch` does not read files.
 *
 * @module
 */
import { readFile } from "node:fs/promises";

import type { Build } from "./load.js";

/** The bytes of a build. */
export function wasmBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(new URL(`./wasm/${build}/refsync_bg.wasm`, import.meta.url)) as Promise<Uint8Array<ArrayBuffer>>;
}
