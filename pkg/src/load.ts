/**
 * Loads WebAssembly when it is first needed, once.
 *
 * @module
 */
import { wasmBytes } from "#wasm-bytes";

/** `client` is the API's client alone; `full` has the engine and the service too. */
export type Build = "client" | "full";

/** The default export of wasm-bindgen's glue. */
type Init = (options: { module_or_path: BufferSource | URL | Promise<BufferSource> }) => Promise<unknown>;

/**
 * A function that loads a build on its first call and afterwards gives the same promise. A failure is not kept: the
 * next call tries again.
 */
export function loader(build: Build, init: Init): () => Promise<void> {
  let loaded: Promise<void> | undefined;
  return () => {
    loaded ??= init({ module_or_path: wasmBytes(build) }).then(
      () => undefined,
      (error: unknown) => {
        loaded = undefined;
        throw error;
      },
    );
    return loaded;
  };
}
