/**
 * The engine's WebAssembly code, as the bundled command finds it: its file lies beside this one, not above it.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module. */
export async function wasm(): Promise<WebAssembly.Module> {
  // Read at once: it takes a millisecond, and an asynchronous read would let the compiler wait for the event loop.
  return WebAssembly.compile(readFileSync(new URL("../wasm/engine/refsync_bg.wasm", import.meta.url)));
}
