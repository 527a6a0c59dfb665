/**
 * WebAssembly code from a file.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The compiled module of a file. */
export async function compiled(file: URL): Promise<WebAssembly.Module> {
  // Read synchronously: it takes a millisecond. After an asynchronous read, the compiler would have to wait for the event loop.
  return WebAssembly.compile(readFileSync(file));
}
