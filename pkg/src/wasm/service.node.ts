/**
 * The WebAssembly code, for runtimes with Node's `fs`, because Node's `fetch` does not read files.
 *
 * @module
 */
import { compiled } from "./compiled.js";

/** The compiled module. */
export function wasm(): Promise<WebAssembly.Module> {
  return compiled(new URL("./service/refsync_bg.wasm", import.meta.url));
}
