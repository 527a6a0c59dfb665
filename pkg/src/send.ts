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
export type Send = <T>(options: CallOptions, call: Call<T>) => Promise<T>;

/** A call of the client, which takes the two options as its last arguments. */
export type Call<T> = (
  client: WasmClient,
  ...options: [signal: AbortSignal | undefined, timeout: number | undefined]
) => Promise<T>;

/** All known options of a call. */
export const callOptions = { signal: true, timeout: true } satisfies Record<keyof CallOptions, true>;
