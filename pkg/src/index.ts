/**
 * A typed client of the sync REST API.
 *
 * ```ts
 * import { SyncClient } from "refsync";
 *
 * const client = new SyncClient({ apiUrl: "http://127.0.0.1:8722", apiKey: "…" });
 * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
 * const { stats } = await client.syncs.wait(run);
 * ```
 *
 * @module
 */
import { wasm } from "#client-wasm";
import { type Credential, isSigned, SignedFetch } from "./client/credential.js";
import { Repos } from "./client/repos.js";
import { type CallOptions, callOptions, type Send, type WithClient } from "./client/send.js";
import { Syncs } from "./client/syncs.js";
import { WebhookTargets } from "./client/webhook-targets.js";
import { InvalidRequestError, typed } from "./errors.js";
import type { Fetch } from "./host.js";
import { refuseUnknown } from "./options.js";
import { environmentVariable, isBrowser, ownFetch, pageOrigin } from "./runtime.js";
import type { CallName, ClientSettings, Organization, OrgPath, Whoami } from "./wasm/client/refsync.js";
import init, { initSync, WasmClient } from "./wasm/client/refsync.js";
import { loader, type WasmSource } from "./wasm/load.js";

export type { Credential } from "./client/credential.js";
export type { Paged } from "./client/paged.js";
export { Repos } from "./client/repos.js";
export type {
  CompletedRun,
  EndedRun,
  FailedRun,
  ListedCompletedRun,
  QueuedRun,
  Repo,
  RepoPage,
  RunningRun,
  SyncRun,
  SyncRunPage,
  Upstream,
  WholeRun,
} from "./client/run.js";
export type { CallOptions } from "./client/send.js";
export { Syncs, type WaitOptions, type WatchOptions } from "./client/syncs.js";
export { WebhookTargets } from "./client/webhook-targets.js";
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
  CreateWebhookTargetRequest,
  DeleteResult,
  Direction,
  ErrorBody,
  ErrorDetails,
  FieldError,
  ListReposRequest,
  ListSyncsRequest,
  ListWebhookTargetsRequest,
  MessageSide,
  Organization,
  OrgPath,
  Origin,
  OriginRequest,
  OriginUpdate,
  Outcome,
  PageRequest,
  Phase,
  Progress,
  Reason,
  RefGlobs,
  RepoPath,
  Schedule,
  ScheduleRequest,
  SyncPath,
  SyncRequest,
  SyncRunMessage,
  SyncRunRef,
  SyncRunStats,
  SyncStatus,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  UpdateWebhookTargetRequest,
  UpstreamAuth,
  UpstreamRequest,
  UpstreamUpdate,
  WaitTarget,
  WebhookTarget,
  WebhookTargetPage,
  WebhookTargetPath,
  WebhookTargetSecret,
  Whoami,
  WhoamiOrg,
} from "./wasm/client/refsync.js";
export type { WasmSource } from "./wasm/load.js";

/** How a client is set up. */
export interface ClientOptions extends Omit<ClientSettings, "apiKey" | "apiUrl"> {
  /**
   * An API key, a private key (the client signs a token with it for each request), or a function that gives a token for each
   * request. When left out: the variable `REFSYNC_API_KEY`, if the runtime has an environment.
   */
  apiKey?: Credential | undefined;
  /**
   * The API's address, with or without `/v1` at its end. When left out: the page's own origin in a browser, elsewhere the
   * variable `REFSYNC_URL`.
   */
  apiUrl?: string | undefined;
  /** The `fetch` to send with; the runtime's own when left out. */
  fetch?: Fetch | undefined;
  /**
   * The WebAssembly code of `refsync/client.wasm`, or where it is, for bundlers that do not find it by themselves; it
   * is loaded once, for the first client that makes a call.
   */
  wasm?: WasmSource | undefined;
}

const load = loader({ init, initSync }, wasm);

const known = {
  apiKey: true,
  apiUrl: true,
  org: true,
  maxRetries: true,
  timeout: true,
  fetch: true,
  wasm: true,
} satisfies Record<keyof ClientOptions, true>;

/**
 * A client of the sync REST API. Making one sends nothing and loads nothing; the first call loads the WebAssembly.
 *
 * A failed call is tried again on 408, 429, 5xx and a lost connection, twice by default, with growing and random waits
 * and `Retry-After`. A sync whose answer was lost is looked for before it is asked for again; the creation of a
 * repository or a webhook target and the rotation of a secret are not repeated.
 *
 * Every method rejects with a {@link RefsyncError} of a class that says what happened.
 */
export class SyncClient {
  /** Repositories and their upstreams. */
  readonly repos: Repos;
  /** Sync runs. */
  readonly syncs: Syncs;
  /** Webhook targets. */
  readonly webhookTargets: WebhookTargets;
  readonly #send: Send;

  /**
   * Throws an `InvalidRequestError` without an `apiKey` or an `apiUrl`, and for an unknown option. The first call checks the other
   * options.
   */
  constructor(options: ClientOptions = {}) {
    refuseUnknown("make a client", options, known);
    const {
      fetch: own,
      wasm: code,
      apiKey = environmentVariable("REFSYNC_API_KEY"),
      apiUrl = isBrowser() ? pageOrigin() : environmentVariable("REFSYNC_URL"),
      ...settings
    } = options;
    if (typeof apiKey !== "function" && (typeof apiKey !== "string" || apiKey === "")) {
      throw missing("apiKey", "REFSYNC_API_KEY");
    }
    if (typeof apiUrl !== "string" || apiUrl === "") throw missing("apiUrl", "REFSYNC_URL");
    const fetch = own ?? ownFetch;
    const signed = isSigned(apiKey) ? new SignedFetch(apiKey, fetch) : undefined;
    let client: WasmClient | undefined;
    const withClient: WithClient = async (use) => {
      await load(code);
      try {
        // In a browser a `User-Agent` header would cost a CORS preflight.
        client ??= new WasmClient(
          // What is signed replaces this in each request.
          { ...settings, apiUrl, apiKey: typeof apiKey === "function" || signed ? "signed" : apiKey },
          signed?.fetch ?? fetch,
          isBrowser(),
        );
        return await use(client);
      } catch (error) {
        throw signed?.failureBehind(error) ?? typed(error);
      }
    };
    this.#send = async <T>(name: CallName, request: object, options: CallOptions) => {
      refuseUnknown("call", options, callOptions);
      return withClient((client) => client.call(name, request, options.signal, options.timeout) as Promise<T>);
    };
    this.repos = new Repos(this.#send);
    this.syncs = new Syncs(this.#send, withClient);
    this.webhookTargets = new WebhookTargets(this.#send);
  }

  /** Whom the API key belongs to, and what it allows. */
  whoami(options: CallOptions = {}): Promise<Whoami> {
    return this.#send("whoami", {}, options);
  }

  /** The organisation. */
  organization(request: OrgPath = {}, options: CallOptions = {}): Promise<Organization> {
    return this.#send("showOrganization", request, options);
  }
}

/** The error for an option that has no value and no default. */
function missing(field: string, variable: string): InvalidRequestError {
  const message = isBrowser()
    ? "is missing or empty; pass it to new SyncClient()"
    : `is missing or empty; pass it to new SyncClient(), or set ${variable}`;
  return new InvalidRequestError(`make a client: ${field} ${message}`, {
    code: "INVALID_REQUEST",
    fields: [{ field, message }],
  });
}
