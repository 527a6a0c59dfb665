/**
 * Ctrl-C, in two steps.
 *
 * The first lets the source fall silent. The engine then ends its push cleanly but short, the destination finds the pack
 * incomplete, drops it and reports, and nothing of it is left there; a push that is torn down leaves its files behind. Where the
 * whole pack has been sent already, the report tells what the destination made of it. The second leaves at once.
 *
 * @module
 */

import type { EngineFetch } from "../../host.js";
import { onSignal } from "../signals.js";

/** What SIGINT and SIGTERM have said so far. */
export interface Interruption {
  /** Whether there was a first one. */
  readonly isStopping: boolean;
  /** Aborts at the second one. */
  readonly leave: AbortSignal;
  /** A `fetch` for the source, which fails from the first one on. */
  source(fetch: EngineFetch): EngineFetch;
  /** Gives the signals back to Node. */
  release(): void;
}

/** Listens to both signals; calls `onStop` at the first. */
export function interruption(onStop: () => void): Interruption {
  const [stop, leave] = [new AbortController(), new AbortController()];
  const interrupt = () => {
    // An `AbortError`, so that the engine does not try again.
    const reason = new DOMException("interrupted", "AbortError");
    if (stop.signal.aborted) return leave.abort(reason);
    stop.abort(reason);
    onStop();
  };
  const release = onSignal(interrupt);
  return {
    get isStopping() {
      return stop.signal.aborted;
    },
    leave: leave.signal,
    source: (fetch) => (input, init) => fetch(input, { ...init, signal: either(stop.signal, init?.signal ?? null) }),
    release,
  };
}

/** A signal that follows both. `AbortSignal.any` does so from Node 20.3 on. */
function either(one: AbortSignal, other: AbortSignal | null): AbortSignal {
  if (other === null) return one;
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort(signal.reason);
    else signal.addEventListener("abort", () => both.abort(signal.reason), { once: true, signal: both.signal });
  }
  return both.signal;
}
