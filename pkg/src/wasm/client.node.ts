/**
 * The WebAssembly code, for runtimes with Node's `fs`, because Node's `fetch` does not read files.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module. It is compiled synchronously, because it is small and the thread pool would take longer. */
export function wasm(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL("./client/refsync_bg.wasm", import.meta.url)));
}
