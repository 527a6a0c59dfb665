/**
 * The WebAssembly code for workerd (Cloudflare Workers). workerd does not compile code at run time; an import returns the compiled
 * module.
 *
 * @module
 */
import module from "./client/refsync_bg.wasm";

/** The compiled module. */
export function wasm(): WebAssembly.Module {
  return module;
}
