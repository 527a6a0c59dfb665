/**
 * Finds the engine's WebAssembly code for the bundled command: its file is beside this one, not above it.
 *
 * @module
 */
import { compiled } from "../wasm/compiled.js";

/** The compiled module. */
export function wasm(): Promise<WebAssembly.Module> {
  return compiled(new URL("../wasm/engine/refsync_bg.wasm", import.meta.url));
}
