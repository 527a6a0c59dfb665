/**
 * Loads WebAssembly when it is first needed, once.
 *
 * @module
 */

/** WebAssembly code, or where it is. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/** What wasm-bindgen's glue exports to start it. */
interface Glue {
  /** Its default export. */
  init: (options: { module_or_path: WasmSource | Promise<WasmSource> }) => Promise<Loaded>;
  initSync: (options: { module: WebAssembly.Module }) => Loaded;
}

/** What a build exports. */
interface Loaded {
  memory: WebAssembly.Memory;
}

/**
 * A function that loads a build on its first call and afterwards gives the same promise; it takes the code from its
 * argument, else from `wasm`. A failure is not kept: the next call tries again.
 */
export function loader(
  glue: Glue,
  wasm: () => WasmSource | Promise<WasmSource>,
): (own?: WasmSource) => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  const start = async (own?: WasmSource) => {
    const source = own ?? (await wasm());
    // `init` looks whether it is given a `Response`, and that look alone makes Node load its `fetch`, some 30 ms.
    return source instanceof WebAssembly.Module
      ? glue.initSync({ module: source })
      : glue.init({ module_or_path: source });
  };
  return (own) => {
    loaded ??= start(own).catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
