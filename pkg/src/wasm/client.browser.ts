/**
 * The address of the WebAssembly code, for pages. Each build has its own module with a literal address, because bundlers search for
 * that to decide which files to ship.
 *
 * @module
 */

/** The address. The code is compiled while it is fetched. */
export function wasm(): URL {
  return new URL("./client/refsync_bg.wasm", import.meta.url);
}
