/**
 * The WebAssembly code, for runtimes with Node's `fs`: its `fetch` does not read files.
 *
 * @module
 */
import { readFile } from "node:fs/promises";

/** The compiled module. */
export async function wasm(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL("./wasm/full/refsync_bg.wasm", import.meta.url)));
}
