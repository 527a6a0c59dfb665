/**
 * The WebAssembly code for Vercel's and Next's edge runtime. It does not compile code at run time; an import with `?module` returns the
 * compiled module.
 *
 * @module
 */
import module from "./client/refsync_bg.wasm?module";

/** The compiled module. */
export function wasm(): WebAssembly.Module {
  return module;
}
