/**
 * The engine's WebAssembly code, compiled in the background while the command line is being read. Imported first.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";

import { wasm } from "#engine-wasm";

/** The compiled code, where the command is one that needs it. */
export const engineCode: Promise<WebAssembly.Module> | undefined = process.argv[2] === "sync" ? started() : undefined;

// Whoever awaits it hears of a failure; until then it is not one that ends the process.
engineCode?.catch(() => {});

function started(): Promise<WebAssembly.Module> {
  if (!process.versions.bun && !process.versions.deno) {
    // How much a function does before V8 optimises it. Its default is a long-lived page's: by it a short sync spends a quarter of
    // its CPU and 10 MB on code that never pays. A large one reaches this too.
    setFlagsFromString("--wasm-tiering-budget=100000000");
    // All functions now, beside the reading of the command line, instead of each when it is first called and a server waits.
    setFlagsFromString("--no-wasm-lazy-compilation");
  }
  return wasm();
}
