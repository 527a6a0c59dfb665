/**
 * Where the WebAssembly code is, for runtimes with Node's `fs`: its `fetch` does not read files.
 *
 * @module
 */
import { readFile } from "node:fs/promises";

/** The bytes. */
export function wasm(): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(new URL("./wasm/full/refsync_bg.wasm", import.meta.url)) as Promise<Uint8Array<ArrayBuffer>>;
}
