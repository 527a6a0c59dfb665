/**
 * The WebAssembly code, for runtimes with Node's `fs`: its `fetch` does not read files.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module. */
export async function wasm(): Promise<WebAssembly.Module> {
  // Read at once: it takes a millisecond, and an asynchronous read would let the compiler wait for the event loop.
  return WebAssembly.compile(readFileSync(new URL("./wasm/engine/refsync_bg.wasm", import.meta.url)));
}
