/**
 * The client: its options, and the object with its parts.
 *
 * @module
 */
import { wasm } from "#client-wasm";
import { InvalidRequestError, typed } from "../errors.js";
import type { Fetch } from "../host.js";
import { count, func, refuseWrong, signal, timeout, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import { environmentVariable, isBrowser, ownFetchWith, pageOrigin } from "../runtime.js";
import type { CallName, ClientSettings, Organization, OrgPath, Whoami } from "../wasm/client/refsync.js";
import init, { initSync, WasmClient } from "../wasm/client/refsync.js";
import { loader, type WasmSource } from "../wasm/load.js";
import { type Credential, isSigned, SignedFetch } from "./credential.js";
import { Repos } from "./repos.js";
import { type CallOptions, callOptions, type Send, type WithClient } from "./send.js";
import { Syncs } from "./syncs.js";
import { WebhookTargets } from "./webhook-targets.js";

/** The options of a client. */
export interface ClientOptions extends Omit<ClientSettings, "apiKey" | "apiUrl"> {
  /**
   * An API key, a private key (the client signs a token with it for each request), or a function that returns a token for each request.
   * Default: the variable `REFSYNC_API_KEY`, if the runtime has an environment.
   */
  apiKey?: Credential | undefined;
  /**
   * The API's address, with or without `/v1` at its end. Default: the page's own origin in a browser, and the variable `REFSYNC_URL`
   * elsewhere.
   */
  apiUrl?: string | undefined;
  /** The `fetch` to use. Default: the runtime's own. */
  fetch?: Fetch | undefined;
  /**
   * The WebAssembly code of `refsync/client.wasm`, or its address, for bundlers that do not find it by themselves. It is loaded once,
   * for the first client that makes a call. Default: the package's own file.
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
 * A failed call is tried again on 408, 429, 5xx and a lost connection, twice by default, with growing and random waits and
 * `Retry-After`. If the answer to a sync request was lost, the client looks for the run before it repeats the request. It never repeats
 * the creation of a repository or a webhook target, or the rotation of a secret.
 *
 * @throws Every method rejects with a subclass of {@link RefsyncError}. Its `code` is a stable word.
 * @example
 * ```ts
 * import { NotFoundError, SyncClient } from "refsync";
 *
 * const client = new SyncClient({ apiUrl: "https://sync.example.com", apiKey: process.env.REFSYNC_API_KEY });
 * try {
 *   const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
 *   const ended = await client.syncs.wait(run, { timeout: 60_000 });
 *   console.log(ended.status, ended.status === "completed" ? ended.stats.refs : ended.error);
 * } catch (error) {
 *   if (error instanceof NotFoundError) console.error("there is no repository app");
 *   else throw error;
 * }
 * ```
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
   * Makes a client. Nothing is sent. The first call checks the texts of `apiKey`, `apiUrl` and `org`.
   *
   * @throws {@link InvalidRequestError} if `apiKey` or `apiUrl` is missing, or if an option is unknown or of another kind.
   */
  constructor(options: ClientOptions = {}) {
    refuseUnknown("make a client", options, known);
    refuseWrong("make a client", wrongIn(options, { fetch: func, maxRetries: count, timeout }));
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
    const fetch = own ?? ownFetchWith((page) => `start the service with --allow-origin ${page}`);
    const signed = isSigned(apiKey) ? new SignedFetch(apiKey, fetch) : undefined;
    let client: WasmClient | undefined;
    const withClient: WithClient = async (use) => {
      await load(code);
      try {
        // In a browser a `User-Agent` header would cost a CORS preflight.
        client ??= new WasmClient(
          // The signed token replaces this in each request.
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
      refuseWrong("call", wrongIn(options, { signal, timeout }));
      return withClient((client) => client.call(name, request, options.signal, options.timeout) as Promise<T>);
    };
    this.repos = new Repos(this.#send);
    this.syncs = new Syncs(this.#send, withClient);
    this.webhookTargets = new WebhookTargets(this.#send);
  }

  /** The owner of the API key, and its scopes. */
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
