/**
 * `client.syncs`.
 *
 * @module
 */
import { TimeoutError } from "../errors.js";
import { signal as abortSignal, func, refuseWrong, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import type { ListSyncsRequest, SyncPath, WaitTarget } from "../wasm/client/refsync.js";
import { type Paged, paged } from "./paged.js";
import type { EndedRun, SyncRun, SyncRunPage, WholeRun } from "./run.js";
import type { CallOptions, Send, WithClient } from "./send.js";

/** A run by its id and its repository, as they were stored. */
export interface RunName {
  /** The run's id. */
  id: string;
  /** The repository's id. */
  repo_id: string;
}

/** Options of a watch. */
export interface WatchOptions extends WaitTarget {
  /** Ends the watch, but not the sync. The watch then rejects with an `AbortError`. Default: nothing ends it. */
  signal?: AbortSignal | undefined;
}

/** Options of a wait. */
export interface WaitOptions extends WaitTarget {
  /** Ends the wait, but not the sync. The wait then rejects with an `AbortError`. Default: nothing ends it. */
  signal?: AbortSignal | undefined;
  /** Called with every change of the run, also the last one. If it throws, the wait ends with its error. Default: nobody is told. */
  onUpdate?: ((run: WholeRun) => void) | undefined;
}

/**
 * Sync runs: read, listed and waited for. Reached as `client.syncs`.
 *
 * @example
 * ```ts
 * for await (const run of client.syncs.list({ repo: "app" })) {
 *   if (run.status === "failed") console.log(run.id, run.error);
 * }
 * ```
 */
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
   * Cancels a run, and returns its current state. A queued run fails at once, with the error `cancelled`. A run in progress fails when
   * its worker stops; see {@link wait}.
   *
   * @throws {@link ConflictError} if the run has ended.
   */
  cancel(request: SyncPath, options: CallOptions = {}): Promise<WholeRun> {
    return this.#send("cancelSync", request, options);
  }

  /**
   * Resolves to the run when it is `completed` or `failed`. If it has already ended, this makes no request, unless the run comes
   * from a list that left out its `stats`. The run may also be a {@link RunName}, or its id if `options.repo` names the repository.
   *
   * It follows the service's events (server-sent events over `fetch`). If a service has none, it polls: first after 0.25 s, then more
   * slowly, up to every 2 s. A browser opens only six connections to a host, so only one run at a time is followed by events there, and
   * eight elsewhere; other runs are polled.
   *
   * @throws {@link TimeoutError} if the run has not ended within `timeout` milliseconds. The sync goes on.
   * @throws {@link AbortError} if `signal` aborted. The sync goes on.
   * @example
   * ```ts
   * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
   * const ended = await client.syncs.wait(run, { timeout: 60_000, onUpdate: ({ status }) => console.log(status) });
   * if (ended.status === "completed") console.log(ended.stats.refs.length);
   * else console.error(ended.error);
   * ```
   */
  async wait(run: SyncRun | RunName | string, options: WaitOptions = {}): Promise<EndedRun> {
    refuseUnknown("wait for sync", options, waitOptions);
    refuseWrong("wait for sync", wrongIn(options, { signal: abortSignal, onUpdate: func }));
    const { signal, onUpdate, ...target } = options;
    const update = onUpdate && ((run: unknown) => onUpdate(run as WholeRun));
    const begun = performance.now();
    const found = await this.#found("wait for sync", run, options);
    if (found !== run && target.timeout !== undefined) {
      target.timeout = Math.max(0, target.timeout - (performance.now() - begun));
    }
    return this.#withClient((client) => client.waitForSync(found, target, update, signal) as Promise<EndedRun>);
  }

  /** The run itself, which is requested if it is only named. */
  async #found(
    operation: string,
    run: SyncRun | RunName | string,
    { repo, org, signal, timeout }: WatchOptions,
  ): Promise<SyncRun> {
    const name = typeof run === "string" ? { id: run, repo_id: repo } : run;
    // Anything else is checked where the run is used.
    if (typeof name?.id !== "string" || "status" in name) return run as SyncRun;
    const where = repo ?? name.repo_id;
    if (where === undefined) {
      refuseWrong(operation, [
        { field: "repo", message: "is missing; name the repository of the run, or pass the whole run" },
      ]);
    }
    const path = { repo: where ?? "", sync_id: name.id, ...(org !== undefined && { org }) };
    // Another timeout is refused where the run is used.
    const isTime = typeof timeout === "number" && timeout >= 0;
    const over = isTime ? AbortSignal.timeout(Math.min(timeout, MAX_TIMER)) : undefined;
    try {
      return await this.get(path, { signal: signal && over ? AbortSignal.any([signal, over]) : (signal ?? over) });
    } catch (error) {
      if (!over?.aborted || signal?.aborted) throw error;
      const message = `${operation} ${name.id}: the service has not answered within ${timeout} ms`;
      throw new TimeoutError(message, { code: "TIMEOUT", retryable: true });
    }
  }

  /**
   * Yields the run in its current state, then after each change, and the ended run last. Use it with `for await`: leaving the loop ends
   * the watch. It follows the run and fails like {@link wait}. If it follows events, a run in progress has `progress`.
   *
   * @throws The same errors as {@link wait}.
   * @example
   * ```ts
   * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
   * for await (const now of client.syncs.watch(run)) {
   *   console.log(now.status, now.status === "in_progress" ? now.progress?.bytes : undefined);
   * }
   * ```
   */
  async *watch(
    given: SyncRun | RunName | string,
    options: WatchOptions = {},
  ): AsyncGenerator<WholeRun, void, undefined> {
    refuseUnknown("watch sync", options, watchOptions);
    refuseWrong("watch sync", wrongIn(options, { signal: abortSignal }));
    const run = await this.#found("watch sync", given, options);
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
    // Its failure is thrown below, after everything before it has been yielded.
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

/** The longest time of a timer, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

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
