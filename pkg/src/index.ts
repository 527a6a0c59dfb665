/**
 * A typed client of the sync REST API.
 *
 * ```ts
 * import { SyncClient } from "refsync";
 *
 * const client = new SyncClient({ apiUrl: "http://127.0.0.1:8787", apiKey: "…" });
 * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
 * const { stats } = await client.syncs.wait(run);
 * ```
 *
 * @module
 */
import { wasm } from "#client-wasm";
import { type Credential, isSigned, SignedFetch } from "./credential.js";
import { InvalidRequestError, typed } from "./errors.js";
import type { Fetch } from "./host.js";
import { loader, type WasmSource } from "./load.js";
import { type Paged, paged } from "./paged.js";
import type { EndedRun, Repo, RepoPage, SyncRun, SyncRunPage } from "./run.js";
import { isBrowser, ownFetch } from "./runtime.js";
import type {
  ClientSettings,
  CreateRepoRequest,
  DeleteResult,
  ListReposRequest,
  ListSyncsRequest,
  Organization,
  OrgPath,
  RepoPath,
  SyncPath,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  WaitTarget,
  Whoami,
} from "./wasm/client/refsync.js";
import init, { initSync, WasmClient } from "./wasm/client/refsync.js";

export type { Credential } from "./credential.js";
export {
  AbortError,
  ConflictError,
  ConnectionError,
  type ErrorInit,
  ForbiddenError,
  InvalidRequestError,
  InvalidResponseError,
  NotFoundError,
  RateLimitedError,
  RefsyncError,
  ServerError,
  TimeoutError,
  UnauthenticatedError,
} from "./errors.js";
export type { Fetch } from "./host.js";
export type { WasmSource } from "./load.js";
export type { Paged } from "./paged.js";
export type {
  CompletedRun,
  EndedRun,
  FailedRun,
  QueuedRun,
  Repo,
  RepoPage,
  RunningRun,
  SyncRun,
  SyncRunPage,
  Upstream,
} from "./run.js";
export type {
  ApiError,
  AuthKind,
  ClientSettings,
  CreateRepoRequest,
  DeleteResult,
  Direction,
  ErrorBody,
  ErrorDetails,
  FieldError,
  ListReposRequest,
  ListSyncsRequest,
  Organization,
  OrgPath,
  Outcome,
  PageRequest,
  Reason,
  RefGlobs,
  RepoPath,
  SyncPath,
  SyncRequest,
  SyncRunRef,
  SyncRunStats,
  SyncStatus,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  UpstreamAuth,
  UpstreamRequest,
  UpstreamUpdate,
  WaitTarget,
  Whoami,
  WhoamiOrg,
} from "./wasm/client/refsync.js";

/** How a client is set up. */
export interface ClientOptions extends Omit<ClientSettings, "apiKey"> {
  /** An API key, a private key (a token is signed for each request), or a function that gives a token for each request. */
  apiKey: Credential;
  /** The `fetch` to send with; the runtime's own when left out. */
  fetch?: Fetch | undefined;
  /**
   * The WebAssembly code of `refsync/client.wasm`, or where it is, for bundlers that do not find it by themselves; it
   * is loaded once, for the first client that makes a call.
   */
  wasm?: WasmSource | undefined;
}

/** How one call is done. */
export interface CallOptions {
  /** Cancels the call; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** How long one try of the call may take, in milliseconds; the client's `timeout` when left out. */
  timeout?: number | undefined;
}

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
  onUpdate?: ((run: SyncRun) => void) | undefined;
}

const load = loader({ init, initSync }, wasm);

/** Does a call once the client is there, and gives its errors their classes. */
type Send = <T>(call: (client: WasmClient) => Promise<T>) => Promise<T>;

/**
 * A client of the sync REST API. Making one sends nothing and loads nothing; the first call loads the WebAssembly.
 *
 * A failed call is tried again on 408, 429, 5xx and a lost connection, twice by default, with growing and random waits
 * and `Retry-After`. A sync whose answer was lost is looked for before it is asked for again; the creation of a
 * repository is not repeated.
 *
 * Every method rejects with a {@link RefsyncError} of a class that says what happened.
 */
export class SyncClient {
  /** Repositories and their upstreams. */
  readonly repos: Repos;
  /** Sync runs. */
  readonly syncs: Syncs;
  readonly #send: Send;

  constructor(options: ClientOptions) {
    const { fetch: own, wasm: code, apiKey, ...settings } = options;
    if (typeof apiKey !== "function" && (typeof apiKey !== "string" || apiKey === "")) {
      const fields = [{ field: "apiKey", message: "is missing or empty" }];
      throw new InvalidRequestError("make a client: apiKey is missing or empty", { code: "INVALID_REQUEST", fields });
    }
    const fetch = own ?? ownFetch;
    const signed = isSigned(apiKey) ? new SignedFetch(apiKey, fetch) : undefined;
    let client: WasmClient | undefined;
    this.#send = async (call) => {
      await load(code);
      try {
        // In a browser a `User-Agent` header would cost a CORS preflight.
        client ??= new WasmClient(
          // What is signed replaces this in each request.
          { ...settings, apiKey: typeof apiKey === "function" || signed ? "signed" : apiKey },
          signed?.fetch ?? fetch,
          isBrowser(),
        );
        return await call(client);
      } catch (error) {
        throw signed?.failureBehind(error) ?? typed(error);
      }
    };
    this.repos = new Repos(this.#send);
    this.syncs = new Syncs(this.#send);
  }

  /** Whom the API key belongs to, and what it allows. */
  whoami(options: CallOptions = {}): Promise<Whoami> {
    return this.#send((client) => client.whoami(options.signal, options.timeout));
  }

  /** The organisation. */
  organization(request: OrgPath = {}, options: CallOptions = {}): Promise<Organization> {
    return this.#send((client) => client.organization(request, options.signal, options.timeout));
  }
}

/** Repositories: made, read, changed, deleted, and synced with their upstreams. Reached as `client.repos`. */
export class Repos {
  readonly #send: Send;

  /** @internal */
  constructor(send: Send) {
    this.#send = send;
  }

  /** Makes a repository. `ConflictError` for a name that is taken. */
  create(request: CreateRepoRequest & OrgPath = {}, options: CallOptions = {}): Promise<Repo> {
    return this.#send((client) => client.createRepo(request, options.signal, options.timeout) as Promise<Repo>);
  }

  /** One repository. */
  get(request: RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send((client) => client.repo(request, options.signal, options.timeout) as Promise<Repo>);
  }

  /**
   * An organisation's repositories, newest first: `await` gives the first page, `for await` all of them.
   */
  list(request: ListReposRequest = {}, options: CallOptions = {}): Paged<RepoPage, Repo> {
    const page = (cursor: Partial<ListReposRequest>) =>
      this.#send(
        (client) => client.listRepos({ ...request, ...cursor }, options.signal, options.timeout) as Promise<RepoPage>,
      );
    return paged(
      page({}),
      ({ repos }) => repos,
      (cursor) => page({ cursor }),
    );
  }

  /** Changes a repository. What is left out (or `undefined`) stays; a null `upstream` is removed. */
  update(request: UpdateRepoRequest & RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send((client) => client.updateRepo(request, options.signal, options.timeout) as Promise<Repo>);
  }

  /** Deletes a repository with its refs and runs. */
  delete(request: RepoPath, options: CallOptions = {}): Promise<DeleteResult> {
    return this.#send((client) => client.deleteRepo(request, options.signal, options.timeout));
  }

  /**
   * Asks for a sync with the upstream and gives its run, mostly still queued; see {@link Syncs.wait}.
   * `ConflictError` with the code `UPSTREAM_NOT_CONFIGURED` where the repository has no upstream.
   */
  syncUpstream(request: SyncUpstreamRequest, options: CallOptions = {}): Promise<SyncRun> {
    return this.#send((client) => client.syncUpstream(request, options.signal, options.timeout) as Promise<SyncRun>);
  }

  /** One sync of a repository; the same as {@link Syncs.get}. */
  getUpstreamSync(request: SyncPath, options: CallOptions = {}): Promise<SyncRun> {
    return this.#send((client) => client.sync(request, options.signal, options.timeout) as Promise<SyncRun>);
  }

  /** A repository's syncs, newest first; the same as {@link Syncs.list}. */
  listUpstreamSyncs(request: ListSyncsRequest, options: CallOptions = {}): Paged<SyncRunPage, SyncRun> {
    return listSyncs(this.#send, request, options);
  }
}

/** Sync runs: read, listed and waited for. Reached as `client.syncs`. */
export class Syncs {
  readonly #send: Send;

  /** @internal */
  constructor(send: Send) {
    this.#send = send;
  }

  /** One run. */
  get(request: SyncPath, options: CallOptions = {}): Promise<SyncRun> {
    return this.#send((client) => client.sync(request, options.signal, options.timeout) as Promise<SyncRun>);
  }

  /** A repository's runs, newest first: `await` gives the first page, `for await` all of them. */
  list(request: ListSyncsRequest, options: CallOptions = {}): Paged<SyncRunPage, SyncRun> {
    return listSyncs(this.#send, request, options);
  }

  /**
   * The run once it has ended, `completed` or `failed`. It is polled, first after 0.25 s, then ever slower up to 2 s; one
   * that has ended already costs no request. `TimeoutError` when it has not ended within `timeout` milliseconds.
   */
  wait(run: SyncRun, options: WaitOptions = {}): Promise<EndedRun> {
    const { signal, onUpdate, ...target } = options;
    const update = onUpdate && ((run: unknown) => onUpdate(run as SyncRun));
    return this.#send((client) => client.waitForSync(run, target, update, signal) as Promise<EndedRun>);
  }

  /**
   * The run as it stands, then as it is after each change, the ended run last: for `for await`, whose end ends the
   * watch. Polls as {@link wait} does, with its errors.
   */
  async *watch(run: SyncRun, options: WatchOptions = {}): AsyncGenerator<SyncRun, void, undefined> {
    yield run;
    const { signal, ...target } = options;
    const stop = new AbortController();
    const abort = () => stop.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const changes: SyncRun[] = [];
    let tell = () => {};
    const onUpdate = (change: SyncRun) => {
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

function listSyncs(send: Send, request: ListSyncsRequest, options: CallOptions): Paged<SyncRunPage, SyncRun> {
  const page = (cursor: Partial<ListSyncsRequest>) =>
    send(
      (client) => client.listSyncs({ ...request, ...cursor }, options.signal, options.timeout) as Promise<SyncRunPage>,
    );
  return paged(
    page({}),
    ({ syncs }) => syncs,
    (cursor) => page({ cursor }),
  );
}
