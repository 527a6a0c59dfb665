/**
 * WebAssembly code from a file.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module of a file. */
export async function compiled(file: URL): Promise<WebAssembly.Module> {
  // Read at once: it takes a millisecond, and an asynchronous read would let the compiler wait for the event loop.
  return WebAssembly.compile(readFileSync(file));
}
