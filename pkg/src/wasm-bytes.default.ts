/**
 * Where the WebAssembly code is, for browsers and bundlers. Each address is written out, because that is what a bundler
 * looks for when it decides which files to ship.
 *
 * @module
 */
import type { Build } from "./load.js";

/** The address of a build; it is fetched and compiled as it arrives. */
export function wasmBytes(build: Build): URL {
  return build === "client"
    ? new URL("./wasm/client/refsync_bg.wasm", import.meta.url)
    : new URL("./wasm/full/refsync_bg.wasm", import.meta.url);
}
