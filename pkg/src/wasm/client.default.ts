/**
 * Where the WebAssembly code is, for browsers and bundlers. The address is written out, and in a module of its own for
 * each build, because that is what a bundler looks for when it decides which files to ship.
 *
 * @module
 */

/** The address; it is fetched and compiled as it arrives. */
export function wasm(): URL {
  return new URL("./client/refsync_bg.wasm", import.meta.url);
}
