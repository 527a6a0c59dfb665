/**
 * Loads WebAssembly when it is first needed, once.
 *
 * @module
 */

/** WebAssembly code, or its address. */
export type WasmSource = string | URL | ArrayBuffer | ArrayBufferView<ArrayBuffer> | WebAssembly.Module;

/** The exports of wasm-bindgen's glue that start it. */
interface Glue {
  /** Its default export. */
  init: (options: { module_or_path: WasmSource | Promise<WasmSource> }) => Promise<Loaded>;
  initSync: (options: { module: WebAssembly.Module }) => Loaded;
}

/** The exports of a build. */
interface Loaded {
  memory: WebAssembly.Memory;
}

/**
 * Makes a function that loads a build on its first call, and returns the same promise afterwards. The code comes from its argument,
 * else from `wasm`. After a failure, the next call tries again.
 */
export function loader(
  glue: Glue,
  wasm: () => WasmSource | Promise<WasmSource>,
): (own?: WasmSource) => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  const start = async (own?: WasmSource) => {
    const source = own ?? (await wasm());
    // `init` checks whether its argument is a `Response`, and this check makes Node load its `fetch`, which takes about 30 ms.
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
