/**
 * The WebAssembly code for bundlers that name neither Node nor a browser, such as Rollup without a plugin's option. It works in every
 * runtime that compiles code, because it needs no file and no module of the runtime.
 *
 * @module
 */
import { base64 } from "./client/inline.js";

/** The compiled module. It is compiled asynchronously, because a page may compile only small modules synchronously. */
export async function wasm(): Promise<WebAssembly.Module> {
  const gzipped = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const code = new Blob([gzipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(code).arrayBuffer());
}
