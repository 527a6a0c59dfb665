/**
 * The engine's WebAssembly code, compiled in the background while the command line is being read. Imported first.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";

import { wasm } from "#engine-wasm";

/** The compiled code, if the command needs it. */
export const engineCode: Promise<WebAssembly.Module> | undefined = process.argv[2] === "sync" ? started() : undefined;

// The command that awaits this promise handles a failure. Until then, a failure must not end the process.
engineCode?.catch(() => {});

function started(): Promise<WebAssembly.Module> {
  if (!process.versions.bun && !process.versions.deno) {
    // How much a function must do before V8 optimises it. V8's default is for long-lived pages: with it, a short sync spends a quarter
    // of its CPU and 10 MB on optimised code that it hardly uses. A large sync reaches this number too.
    setFlagsFromString("--wasm-tiering-budget=100000000");
    // Compiles all functions now, while the command line is read, and not later while a server waits.
    setFlagsFromString("--no-wasm-lazy-compilation");
  }
  return wasm();
}
