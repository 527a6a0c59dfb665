/**
 * How the parts of the client make their calls.
 *
 * @module
 */
import type { WasmClient } from "./wasm/client/refsync.js";

/** How one call is done. */
export interface CallOptions {
  /** Cancels the call; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** How long one try of the call may take, in milliseconds; the client's `timeout` when left out. */
  timeout?: number | undefined;
}

/** Does a call once the client is there, and gives its errors their classes. */
export type Send = <T>(call: (client: WasmClient) => Promise<T>) => Promise<T>;
