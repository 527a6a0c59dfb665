/**
 * The REST API, its durable queue and its worker, as one `fetch(Request) → Response` over a database and a Git host.
 *
 * ```ts
 * import { PGlite } from "@electric-sql/pglite";
 * import { gitHttpBackend, guardedFetch, work } from "refsync/node";
 * import { Service } from "refsync/service";
 *
 * const service = new Service({
 *   database: new PGlite("./data/database"),
 *   git: gitHttpBackend({ root: "./data/repositories" }),
 *   fetch: guardedFetch(),
 *   secretKey: crypto.getRandomValues(new Uint8Array(32)), // keep it: it seals stored credentials
 * });
 * await service.migrate();
 * await service.ensureOrganization("acme");
 * const apiKey = await service.createApiKey("acme", "admin");
 * work(service);
 * const answer = await service.fetch(
 *   new Request("http://localhost/v1/whoami", { headers: { authorization: `Bearer ${apiKey}` } }),
 * );
 * ```
 *
 * @module
 */
import { wasm } from "#service-wasm";
import type { Database, Fetch, GitHost } from "./host.js";
import { refuseUnknown } from "./options.js";
import { serviceCrypto } from "./service/crypto.js";
import { type ServiceEngine, serviceEngine } from "./service/engine.js";
import { nextTick } from "./service/schedule.js";
import { loader, type WasmSource } from "./wasm/load.js";
import init, { initSync, Service as WasmService } from "./wasm/service/refsync.js";

export type { Database, Fetch, GitHost } from "./host.js";
export type { ServiceEngine } from "./service/engine.js";
export type { WasmSource } from "./wasm/load.js";

/** What an API key allows; each includes those before it: read, write, admin. */
export type Scope = "read" | "write" | "admin";

/** What a service is made of. */
export interface ServiceOptions {
  /** Where its state lives; several services may share one PostgreSQL. */
  database: Database;
  /** Where the repositories live. */
  git: GitHost;
  /**
   * Carries out syncs and plans. In the service's own thread when left out: then a fault in the engine stops the service.
   * `engineThreads` of `refsync/node` has threads of its own, and takes the place of `git` and `fetch` in a sync.
   */
  engine?: ServiceEngine;
  /** For upstream remotes and webhooks; should refuse private addresses (see `guardedFetch` of `refsync/node`). */
  fetch: Fetch;
  /** 32 bytes that encrypt stored secrets (AES-256-GCM). */
  secretKey: Uint8Array;
  /**
   * Keys that only decrypt: those before `secretKey`, or the one to come while other processes may use it already.
   * `migrate` encrypts everything with `secretKey`.
   */
  previousSecretKeys?: Uint8Array[];
  /** Starts although none of the keys decrypts what is stored, which then has to be set again. */
  acceptLostKey?: boolean;
  /**
   * The service's address as others know it, such as `https://sync.example.com`; webhooks name repositories by it. A
   * function where that is known only later.
   */
  publicUrl?: string | (() => string | undefined);
  /** The origins whose pages may call the API, such as `https://app.example.com`; `*` is any. None when left out. */
  allowedOrigins?: string[];
  /**
   * How many calls each credential may make, in this process: `burst` at once, `perSecond` in the long run; more are 429
   * with `Retry-After`. Default 3,000 and 100; Infinity for no limit.
   */
  rateLimit?: { perSecond: number; burst: number };
  /** Serves Prometheus's `/metrics`, which counts over all organisations, to anyone who can reach it. */
  metrics?: boolean;
  /** How many runs may be in progress at the same time, over all processes that are told the same. No limit when left out. */
  maxRuns?: number;
  /** The same for the runs of each organisation. */
  maxRunsPerOrganization?: number;
  /**
   * How long one attempt of a run may take, in milliseconds; then it fails. Default one hour. A sync that is repeated goes on
   * from what has arrived.
   */
  runTimeout?: number;
  /** Works only runs of repositories that another Git server has (their `origin`): `git` cannot reach the hosted ones. */
  onlyOrigins?: boolean;
  /** Called when a run was queued, so that a worker need not wait for its next poll. */
  onQueued?: () => void;
  /** The WebAssembly code of `refsync/service.wasm`, or where it is, for bundlers that do not find it by themselves. */
  wasm?: WasmSource;
  /** The same of `refsync/engine.wasm`, which is loaded by the first sync, or the first look at a repository. */
  engineWasm?: WasmSource;
  /**
   * Takes the lines for the operator, such as the cause behind a `trace_id`. `console.error` when both this and `record` are
   * left out.
   */
  log?: (line: string) => void;
  /** Takes what was done, each request, run and delivery, and the lines of `log`; see `lineLog` of `refsync/node`. */
  record?: (record: LogRecord) => void;
}

/** What the operator can follow; never with a credential. */
export type LogRecord =
  | {
      event: "request";
      trace_id: string;
      method: string;
      /** Without the query. */
      path: string;
      status: number;
      duration_ms: number;
      /** What failed in the service, for a 5xx. */
      error?: string;
    }
  | {
      event: "sync";
      trace_id: string;
      sync_id: string;
      repo_id: string;
      org: string;
      repo: string;
      direction: "pull" | "push";
      attempt: number;
      /** `queued` is for its next attempt; `lost` to another worker, or with its repository. */
      status: "completed" | "failed" | "queued" | "handed_back" | "lost";
      duration_ms: number;
      refs?: { updated: number; unchanged: number; filtered: number; rejected: number };
      error?: string;
    }
  | {
      event: "webhook";
      trace_id: string;
      target_id: string;
      event_id: string;
      type: string;
      attempt: number;
      status: "delivered" | "refused" | "given_up";
      duration_ms: number;
      error?: string;
    }
  | { event: "trouble"; message: string };

const load = loader({ init, initSync }, wasm);

const openapi = async () => (await import("./wasm/service/openapi.js")).document;

const known = {
  database: true,
  git: true,
  engine: true,
  fetch: true,
  secretKey: true,
  previousSecretKeys: true,
  acceptLostKey: true,
  publicUrl: true,
  allowedOrigins: true,
  rateLimit: true,
  metrics: true,
  maxRuns: true,
  maxRunsPerOrganization: true,
  runTimeout: true,
  onlyOrigins: true,
  onQueued: true,
  wasm: true,
  engineWasm: true,
  log: true,
  record: true,
} satisfies Record<keyof ServiceOptions, true>;

const knownOfRateLimit = { perSecond: true, burst: true } satisfies Record<
  keyof NonNullable<ServiceOptions["rateLimit"]>,
  true
>;

/** The service. Making one loads nothing; the first call loads the WebAssembly. */
export class Service {
  readonly #service: () => Promise<WasmService>;

  /** Throws a `TypeError` if an option is missing or has the wrong type, and an `InvalidRequestError` for an unknown one. */
  constructor(options: ServiceOptions) {
    refuseUnknown("Service", options, known);
    refuseUnknown("Service", options.rateLimit, knownOfRateLimit, "rateLimit.");
    const { secretKey, previousSecretKeys = [] } = options;
    const isKey = (key: Uint8Array) => key instanceof Uint8Array && key.length === 32;
    if (!isKey(secretKey)) throw new TypeError("Service: secretKey must be a Uint8Array of 32 bytes");
    if (!previousSecretKeys.every(isKey)) {
      throw new TypeError("Service: each of previousSecretKeys must be a Uint8Array of 32 bytes");
    }
    let service: WasmService | undefined;
    this.#service = async () => {
      await load(options.wasm);
      const { git, fetch, engineWasm } = options;
      const engine = options.engine ?? serviceEngine(git, fetch, engineWasm);
      service ??= new WasmService({ ...options, nextTick, openapi, crypto: serviceCrypto, engine });
      return service;
    };
  }

  /**
   * Brings the database's schema up to date, and encrypts what is stored with the present secret key. Call it at each start,
   * before anything else. Rejects where a newer version has used the database, or another secret key.
   */
  async migrate(): Promise<void> {
    await (await this.#service()).migrate();
  }

  /**
   * Takes up the runs and deliveries of a process that was killed, without waiting for its leases to end. Only for a process
   * that knows that no other one works on this database, such as one that holds the data folder's lock.
   */
  async adopt(): Promise<void> {
    await (await this.#service()).adopt();
  }

  /** Brings the schema up to this version only, which a backup is restored into; `migrate` does the rest. */
  async migrateTo(version: number): Promise<void> {
    await (await this.#service()).migrateTo(version);
  }

  /** Makes an organisation where it is missing; a name, for people, renames it. The slug is what paths have. */
  async ensureOrganization(slug: string, name?: string): Promise<void> {
    await (await this.#service()).ensureOrganization(slug, name);
  }

  /** Makes an API key and gives it, for the only time: its hash is all that is kept. */
  async createApiKey(org: string, scope: Scope, name?: string): Promise<string> {
    return (await this.#service()).createApiKey(org, scope, name);
  }

  /**
   * Makes a code for the page's address, `/#code=…`. It works once, within ten minutes. The page exchanges it for a key of scope
   * admin. That key is valid for twelve hours, or until the user signs out.
   */
  async createPageCode(org: string): Promise<string> {
    return (await this.#service()).createPageCode(org);
  }

  /**
   * Makes an Ed25519 private key, `mesa_private_key_<org>_…`, and gives it, for the only time. Its holder signs access
   * tokens with it, as the SDKs of the Mesa API do; only the public key is kept.
   */
  async createPrivateKey(org: string, name?: string): Promise<string> {
    return (await this.#service()).createPrivateKey(org, name);
  }

  /** Registers the public key of a private key that was made elsewhere, as a JWK's `x`. */
  async registerPublicKey(org: string, x: string, name?: string): Promise<void> {
    await (await this.#service()).registerPublicKey(org, x, name);
  }

  /** Answers `/v1/…`, `/{org}/{repo}.git/…`, `/healthz` and `/readyz`. Rejects only where the Git host does; Git's bodies stream. */
  async fetch(request: Request): Promise<Response> {
    return (await this.#service()).fetch(request);
  }

  /**
   * Answers a request of the operator, who needs no credential: `/v1/{org}/…` as that organisation's admin, and `GET` and `POST` of
   * `/operator/orgs`. Never pass it a request that comes from a network.
   */
  async operatorFetch(request: Request): Promise<Response> {
    return (await this.#service()).operatorFetch(request);
  }

  /**
   * Claims one run, calls `onClaimed`, and works the run to its end; false when nothing was ready. `isLastLane`: claims no
   * run if its upstream's host or, among several organisations, its organisation has a run in progress. So neither one slow host
   * nor one organisation can hold every lane. Rejects if the database fails.
   */
  async tick(onClaimed?: () => void, isLastLane = false): Promise<boolean> {
    return (await this.#service()).tick(onClaimed, isLastLane);
  }

  /**
   * Hands the runs in progress back, for another worker to take at once, and claims nothing more; the ticks that ran them
   * resolve. Calls are answered as before, and `/readyz` says 503.
   */
  async stop(): Promise<void> {
    (await this.#service()).stop();
  }

  /**
   * Claims one due webhook delivery, calls `onClaimed`, and sends the delivery; false if none was due. It takes at most ten
   * seconds. A refused delivery is retried for a day. Rejects if the database fails.
   */
  async deliver(onClaimed?: () => void): Promise<boolean> {
    return (await this.#service()).deliver(onClaimed);
  }
}
