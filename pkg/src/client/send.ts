/**
 * Makes the calls for the parts of the client.
 *
 * @module
 */
import type { CallName, WasmClient } from "../wasm/client/refsync.js";

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call; it then rejects with an `AbortError`. Default: nothing cancels it. */
  signal?: AbortSignal | undefined;
  /** How long one try of the call may take, in milliseconds. Default: the client's `timeout`. */
  timeout?: number | undefined;
}

/** Does a call of the API, by its name in `src/api/calls.rs`. */
export type Send = <T>(name: CallName, request: object, options: CallOptions) => Promise<T>;

/** Does something once the client is there, and gives its errors their classes. */
export type WithClient = <T>(use: (client: WasmClient) => Promise<T>) => Promise<T>;

/** All known options of a call. */
export const callOptions = { signal: true, timeout: true } satisfies Record<keyof CallOptions, true>;
