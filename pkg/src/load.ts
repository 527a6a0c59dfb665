/**
 * Loads WebAssembly when it is first needed, once.
 *
 * @module
 */

/** WebAssembly code, or where it is. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/** The default export of wasm-bindgen's glue. */
type Init = (options: { module_or_path: WasmSource | Promise<WasmSource> }) => Promise<unknown>;

/**
 * A function that loads a build on its first call and afterwards gives the same promise; it takes the code from its
 * argument, else from `wasm`. A failure is not kept: the next call tries again.
 */
export function loader(init: Init, wasm: () => WasmSource | Promise<WasmSource>): (own?: WasmSource) => Promise<void> {
  let loaded: Promise<void> | undefined;
  return (own) => {
    loaded ??= init({ module_or_path: own ?? wasm() }).then(
      () => undefined,
      (error: unknown) => {
        loaded = undefined;
        throw error;
      },
    );
    return loaded;
  };
}
