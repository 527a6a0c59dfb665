/**
 * The WebAssembly code, for runtimes with Node's `fs`: its `fetch` does not read files.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module: at once, because it is small, and a trip to the thread pool takes longer. */
export function wasm(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL("./client/refsync_bg.wasm", import.meta.url)));
}
