/**
 * `client.syncs`.
 *
 * @module
 */
import { refuseUnknown } from "../options.js";
import type { ListSyncsRequest, SyncPath, WaitTarget } from "../wasm/client/refsync.js";
import { type Paged, paged } from "./paged.js";
import type { EndedRun, SyncRun, SyncRunPage, WholeRun } from "./run.js";
import type { CallOptions, Send, WithClient } from "./send.js";

/** How a sync is watched. */
export interface WatchOptions extends WaitTarget {
  /** Ends the watch, not the sync; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** How a sync is waited for. */
export interface WaitOptions extends WaitTarget {
  /** Ends the wait, not the sync; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Sees every change of the run, also the last one; what it throws ends the wait. */
  onUpdate?: ((run: WholeRun) => void) | undefined;
}

/** Sync runs: read, listed and waited for. Reached as `client.syncs`. */
export class Syncs {
  readonly #send: Send;
  readonly #withClient: WithClient;

  /** @internal */
  constructor(send: Send, withClient: WithClient) {
    this.#send = send;
    this.#withClient = withClient;
  }

  /** One run. */
  get(request: SyncPath, options: CallOptions = {}): Promise<WholeRun> {
    return this.#send("showSync", request, options);
  }

  /** A repository's runs, newest first: `await` gives the first page, `for await` all of them. */
  list(request: ListSyncsRequest, options: CallOptions = {}): Paged<SyncRunPage, SyncRun> {
    return listSyncs(this.#send, request, options);
  }

  /**
   * Cancels a run and gives it as it stands: a queued one has failed with the error `cancelled`, one in progress fails so as
   * soon as its worker stops; see {@link wait}. `ConflictError` for a run that has ended.
   */
  cancel(request: SyncPath, options: CallOptions = {}): Promise<WholeRun> {
    return this.#send("cancelSync", request, options);
  }

  /**
   * Resolves to the run when it is `completed` or `failed`. If it has already ended, this makes no request, unless the run comes
   * from a list that left out its `stats`.
   *
   * It is followed by the service's events (server-sent events over `fetch`). A service without them is polled, first after
   * 0.25 s, then ever slower up to 2 s; so are all runs but one at a time in a browser, which opens only six connections
   * to a host, and all but eight elsewhere. `TimeoutError` when it has not ended within `timeout` milliseconds.
   */
  wait(run: SyncRun, options: WaitOptions = {}): Promise<EndedRun> {
    const { signal, onUpdate, ...target } = options;
    const update = onUpdate && ((run: unknown) => onUpdate(run as WholeRun));
    return this.#withClient((client) => {
      refuseUnknown("wait for sync", options, waitOptions);
      return client.waitForSync(run, target, update, signal) as Promise<EndedRun>;
    });
  }

  /**
   * The run as it stands, then as it is after each change, the ended run last: for `for await`, whose end ends the
   * watch. Follows and fails as {@link wait} does; where it has the service's events, a run in progress says how far it
   * is in `progress`.
   */
  async *watch(run: SyncRun, options: WatchOptions = {}): AsyncGenerator<WholeRun, void, undefined> {
    refuseUnknown("watch sync", options, watchOptions);
    // A run from a list may have no stats. Then the whole run is the first change.
    if (isWhole(run)) yield run;
    const { signal, ...target } = options;
    const stop = new AbortController();
    const abort = () => stop.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const changes: WholeRun[] = [];
    let tell = () => {};
    const onUpdate = (change: WholeRun) => {
      changes.push(change);
      tell();
    };
    let ended = false;
    const waited = this.wait(run, { ...target, signal: stop.signal, onUpdate }).finally(() => {
      ended = true;
      tell();
    });
    // Its failure is told below, when everything before it has been yielded.
    waited.catch(() => {});
    try {
      for (;;) {
        const change = changes.shift();
        if (change) yield change;
        else if (ended) break;
        else
          await new Promise<void>((resolve) => {
            tell = resolve;
          });
      }
      await waited;
    } finally {
      signal?.removeEventListener("abort", abort);
      stop.abort();
    }
  }
}

function isWhole(run: SyncRun): run is WholeRun {
  return run.status !== "completed" || run.stats !== null;
}

const watchOptions = { repo: true, org: true, timeout: true, signal: true } satisfies Record<keyof WatchOptions, true>;

const waitOptions = { ...watchOptions, onUpdate: true } satisfies Record<keyof WaitOptions, true>;

/** The runs of a repository. */
export function listSyncs(send: Send, request: ListSyncsRequest, options: CallOptions): Paged<SyncRunPage, SyncRun> {
  const page = (from: { cursor?: string }) => send<SyncRunPage>("listSyncs", { ...request, ...from }, options);
  return paged(page, ({ syncs }) => syncs);
}
