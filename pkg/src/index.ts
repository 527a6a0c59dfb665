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
import { InvalidRequestError, typed } from "./errors.js";
import type { Fetch } from "./host.js";
import { loader } from "./load.js";
import { isBrowser } from "./runtime.js";
import type {
  ClientSettings,
  CreateRepoRequest,
  DeleteResult,
  ListReposRequest,
  ListSyncsRequest,
  Organization,
  OrgPath,
  Repo,
  RepoPage,
  RepoPath,
  SyncPath,
  SyncRun,
  SyncRunPage,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  WaitTarget,
  Whoami,
} from "./wasm/client/refsync.js";
import init, { WasmClient } from "./wasm/client/refsync.js";

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
  Repo,
  RepoPage,
  RepoPath,
  SyncPath,
  SyncRequest,
  SyncRun,
  SyncRunPage,
  SyncRunRef,
  SyncRunStats,
  SyncStatus,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  Upstream,
  UpstreamAuth,
  UpstreamRequest,
  UpstreamUpdate,
  WaitTarget,
  Whoami,
  WhoamiOrg,
} from "./wasm/client/refsync.js";

/** How a client is set up. */
export interface ClientOptions extends ClientSettings {
  /** The `fetch` to send with; the runtime's own when left out. */
  fetch?: Fetch;
}

/** How one call is done. */
export interface CallOptions {
  /** Cancels the call; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** How long one try of the call may take, in milliseconds; the client's `timeout` when left out. */
  timeout?: number | undefined;
}

/** How a sync is waited for. */
export interface WaitOptions extends WaitTarget {
  /** Ends the wait, not the sync; it then rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Sees every change of the run, also the last one; what it throws ends the wait. */
  onUpdate?: ((run: SyncRun) => void) | undefined;
}

const load = loader("client", init);

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
    const { fetch: own, ...settings } = options;
    if (typeof settings.apiKey !== "string" || settings.apiKey === "") {
      const fields = [{ field: "apiKey", message: "is missing or empty" }];
      throw new InvalidRequestError("make a client: apiKey is missing or empty", { code: "INVALID_REQUEST", fields });
    }
    // Looked up at each call, so that what replaces the global one later counts too.
    const fetch: Fetch = own ?? ((input, init) => globalThis.fetch(input, init));
    let client: WasmClient | undefined;
    this.#send = async (call) => {
      await load();
      try {
        // In a browser a `User-Agent` header would cost a CORS preflight.
        client ??= new WasmClient(settings, fetch, isBrowser());
        return await call(client);
      } catch (error) {
        throw typed(error);
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
    return this.#send((client) => client.createRepo(request, options.signal, options.timeout));
  }

  /** One repository. */
  get(request: RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send((client) => client.repo(request, options.signal, options.timeout));
  }

  /** One page of an organisation's repositories, newest first. */
  list(request: ListReposRequest = {}, options: CallOptions = {}): Promise<RepoPage> {
    return this.#send((client) => client.listRepos(request, options.signal, options.timeout));
  }

  /** Changes a repository. What is left out (or `undefined`) stays; a null `upstream` is removed. */
  update(request: UpdateRepoRequest & RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send((client) => client.updateRepo(request, options.signal, options.timeout));
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
    return this.#send((client) => client.syncUpstream(request, options.signal, options.timeout));
  }

  /** One sync of a repository; the same as {@link Syncs.get}. */
  getUpstreamSync(request: SyncPath, options: CallOptions = {}): Promise<SyncRun> {
    return this.#send((client) => client.sync(request, options.signal, options.timeout));
  }

  /** One page of a repository's syncs, newest first; the same as {@link Syncs.list}. */
  listUpstreamSyncs(request: ListSyncsRequest, options: CallOptions = {}): Promise<SyncRunPage> {
    return this.#send((client) => client.listSyncs(request, options.signal, options.timeout));
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
    return this.#send((client) => client.sync(request, options.signal, options.timeout));
  }

  /** One page of a repository's runs, newest first. */
  list(request: ListSyncsRequest, options: CallOptions = {}): Promise<SyncRunPage> {
    return this.#send((client) => client.listSyncs(request, options.signal, options.timeout));
  }

  /**
   * The run once it has ended, `completed` or `failed`. It is polled, first after 0.25 s, then ever slower up to 2 s; one
   * that has ended already costs no request. `TimeoutError` when it has not ended within `timeout` milliseconds.
   */
  wait(run: SyncRun, options: WaitOptions = {}): Promise<SyncRun> {
    const { signal, onUpdate, ...target } = options;
    return this.#send((client) => client.waitForSync(run, target, onUpdate, signal));
  }
}
