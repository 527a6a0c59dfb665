/**
 * The options of a service, and its records.
 *
 * @module
 */
import type { Database, Fetch, GitHost } from "../host.js";
import type { WasmSource } from "../wasm/load.js";
import type { ServiceEngine } from "./engine.js";

/** The scope of an API key: read, write, admin. Each includes those before it. */
export type Scope = "read" | "write" | "admin";

/** The options of a service. */
export interface ServiceOptions {
  /** The database. Several services may share one PostgreSQL. */
  database: Database;
  /** The host of the repositories. */
  git: GitHost;
  /**
   * Does syncs and plans. Default: an engine in the service's own thread, where a crash of the engine stops the service.
   * `engineThreads` of `refsync/node` uses separate threads, and its own access to repositories and remotes instead of `git` and
   * `fetch`.
   */
  engine?: ServiceEngine;
  /** The `fetch` for upstreams and webhooks. It should refuse private addresses (see `guardedFetch` of `refsync/node`). */
  fetch: Fetch;
  /** 32 bytes that encrypt stored secrets (AES-256-GCM). */
  secretKey: Uint8Array;
  /**
   * Keys that only decrypt: the previous keys, or the next key if other processes may use it already. `migrate` encrypts everything
   * with `secretKey`.
   */
  previousSecretKeys?: Uint8Array[];
  /** Start even if no key can decrypt the stored secrets. They must be set again. */
  acceptLostKey?: boolean;
  /**
   * The service's public address, such as `https://sync.example.com`, for the URLs of repositories in webhooks. A function, if it is
   * known only later.
   */
  publicUrl?: string | (() => string | undefined);
  /** The origins whose pages may call the API, such as `https://app.example.com`; `*` allows any. Default: none. */
  allowedOrigins?: string[];
  /**
   * How many calls each credential may make in this process: `burst` at once, and `perSecond` on average. Further calls are answered
   * with 429 and `Retry-After`. Default: 3,000 and 100. `Infinity` is no limit.
   */
  rateLimit?: { perSecond: number; burst: number };
  /** Serves Prometheus's `/metrics`, which counts over all organisations, to anyone who can reach it. */
  metrics?: boolean;
  /** The most runs in progress at the same time, in all processes. Give each process the same number. Default: no limit. */
  maxRuns?: number;
  /** The same for the runs of each organisation. */
  maxRunsPerOrganization?: number;
  /**
   * How long one attempt of a run may take, in milliseconds. After that, it fails. Default: one hour. A repeated sync continues with
   * the refs that are still missing.
   */
  runTimeout?: number;
  /**
   * Do only runs of repositories that are stored on another Git server (their `origin`), because `git` cannot reach the hosted ones.
   */
  onlyOrigins?: boolean;
  /** Called when a run was queued, so that a worker need not wait for its next poll. */
  onQueued?: () => void;
  /** The WebAssembly code of `refsync/service.wasm`, or its address, for bundlers that do not find it by themselves. */
  wasm?: WasmSource;
  /** The same for `refsync/engine.wasm`. The first sync, or the first request for a repository's refs, loads it. */
  engineWasm?: WasmSource;
  /**
   * Called with lines for the operator, such as the cause of an error with a `trace_id`. Default: `console.error`, unless `record` is
   * given.
   */
  log?: (line: string) => void;
  /** Called with a record of each request, run and delivery, and with the lines of `log`; see `lineLog` of `refsync/node`. */
  record?: (record: LogRecord) => void;
}

/** A record for the operator. It never contains a credential. */
export type LogRecord =
  | {
      event: "request";
      trace_id: string;
      method: string;
      /** Without the query. */
      path: string;
      status: number;
      duration_ms: number;
      /** The failure in the service, for a 5xx. */
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
      /** `queued`: waits for its next attempt. `lost`: another worker has the run now, or its repository was deleted. */
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
