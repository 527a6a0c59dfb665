/**
 * The engine's WebAssembly code, compiled in the background while the command line is being read. Imported first.
 *
 * @module
 */
import { wasm } from "#engine-wasm";

/** The compiled code, where the command is one that needs it. */
export const engineCode: Promise<WebAssembly.Module> | undefined = process.argv[2] === "sync" ? wasm() : undefined;

// Whoever awaits it hears of a failure; until then it is not one that ends the process.
engineCode?.catch(() => {});
