/**
 * Where the WebAssembly code is, for workerd (Cloudflare Workers): it compiles nothing at run time, and gives a module
 * for an import.
 *
 * @module
 */
import module from "./client/refsync_bg.wasm";

/** The compiled module. */
export function wasm(): WebAssembly.Module {
  return module;
}
