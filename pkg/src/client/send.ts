/**
 * How the parts of the client make their calls.
 *
 * @module
 */
import type { CallName, WasmClient } from "../wasm/client/refsync.js";

/** How one call is done. */
export interface CallOptions {
  /** Cancels the call; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** How long one try of the call may take, in milliseconds; the client's `timeout` when left out. */
  timeout?: number | undefined;
}

/** Does a call of the API, by its name in `src/api/calls.rs`. */
export type Send = <T>(name: CallName, request: object, options: CallOptions) => Promise<T>;

/** Does something once the client is there, and gives its errors their classes. */
export type WithClient = <T>(use: (client: WasmClient) => Promise<T>) => Promise<T>;

/** All known options of a call. */
export const callOptions = { signal: true, timeout: true } satisfies Record<keyof CallOptions, true>;
