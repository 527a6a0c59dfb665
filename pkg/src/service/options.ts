/**
 * What a service is made of, and what it tells.
 *
 * @module
 */
import type { Database, Fetch, GitHost } from "../host.js";
import type { WasmSource } from "../wasm/load.js";
import type { ServiceEngine } from "./engine.js";

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
