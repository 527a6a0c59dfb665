/**
 * Ctrl-C, in two steps.
 *
 * The first Ctrl-C makes the source's stream fail. Then the engine ends its push cleanly but early. The destination finds the pack
 * incomplete, deletes it and sends its report. (If the connection were aborted, the destination's temporary files would stay.) If the
 * whole pack was sent already, the report has the results. The second Ctrl-C exits at once.
 *
 * @module
 */

import type { EngineFetch } from "../../host.js";
import { onSignal } from "../signals.js";

/** The signals so far. */
export interface Interruption {
  /** Whether the first signal has come. */
  readonly isStopping: boolean;
  /** Aborts at the second signal. */
  readonly leave: AbortSignal;
  /** A `fetch` for the source. It fails after the first signal. */
  source(fetch: EngineFetch): EngineFetch;
  /** Restores Node's own handling of the signals. */
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
