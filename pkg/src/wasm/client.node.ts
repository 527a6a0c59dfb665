/**
 * The WebAssembly code for Node, and for the bundlers of servers. They put the package into one file, or into several files in other
 * folders, so the code cannot be a file that is found by the address of this module.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { base64 } from "./client/inline.js";

/** The compiled module. It is compiled synchronously, because it is small and the thread pool would take longer. */
export function wasm(): WebAssembly.Module {
  return new WebAssembly.Module(gunzipSync(Buffer.from(base64, "base64")));
}
