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
   * with `secretKey`. Default: none.
   */
  previousSecretKeys?: Uint8Array[];
  /** Start even if no key can decrypt the stored secrets. They must be set again. Default: false, and `migrate` rejects. */
  acceptLostKey?: boolean;
  /**
   * The service's public address, such as `https://sync.example.com`, for the URLs of repositories in webhooks. A function, if it is
   * known only later. Default: such URLs are only a path.
   */
  publicUrl?: string | (() => string | undefined);
  /** The origins whose pages may call the API, such as `https://app.example.com`; `*` allows any. Default: none. */
  allowedOrigins?: string[];
  /**
   * How many calls each credential may make in this process: `burst` at once, and `perSecond` on average. Further calls are answered
   * with 429 and `Retry-After`. Default: 3,000 and 100. `Infinity` is no limit.
   */
  rateLimit?: { perSecond: number; burst: number };
  /**
   * Serves Prometheus's `/metrics` to anyone who can reach it: the state of the queue, over all organisations, and counters of this
   * process. Default: false.
   */
  metrics?: boolean;
  /** The most runs in progress at the same time, in all processes. Give each process the same number. Default: no limit. */
  maxRuns?: number;
  /** The most runs in progress of each organisation, in all processes. Give each process the same number. Default: no limit. */
  maxRunsPerOrganization?: number;
  /**
   * How long one attempt of a run may take, in milliseconds. After that, it fails. Default: one hour. A repeated sync continues with
   * the refs that are still missing.
   */
  runTimeout?: number;
  /**
   * How long a run is kept after its end, in milliseconds. `Infinity` keeps all runs. The last run of each repository and direction is
   * always kept, and so is a run whose webhooks were not delivered yet. Default: 90 days.
   */
  keepRuns?: number;
  /**
   * How long the events of a run's earlier attempts are kept after its end, in milliseconds: followers get them. They are deleted with
   * the run at the latest. The events of its last attempt stay as long as the run. Default: 7 days.
   */
  keepEvents?: number;
  /**
   * Do only runs of repositories that are stored on another Git server (their `origin`), because `git` cannot reach the hosted ones.
   * Default: false.
   */
  onlyOrigins?: boolean;
  /** Called when a run was queued, so that a worker need not wait for its next poll. Default: nobody is told. */
  onQueued?: () => void;
  /**
   * The WebAssembly code of `refsync/service.wasm`, or its address, for bundlers that do not find it by themselves. Default: the
   * package's own file.
   */
  wasm?: WasmSource;
  /**
   * The same for `refsync/engine.wasm`. The first sync, or the first request for a repository's refs, loads it. Default: the package's
   * own file.
   */
  engineWasm?: WasmSource;
  /**
   * Called with lines for the operator, such as the cause of an error with a `trace_id`. Default: `console.error`, unless `record` is
   * given.
   */
  log?: (line: string) => void;
  /**
   * Called with a record of each request, run and delivery, and with the lines of `log`; see `lineLog` of `refsync/node`. Default: no
   * records are made.
   */
  record?: (record: LogRecord) => void;
}

/** A record for the operator. It never contains a credential. */
export type LogRecord =
  | {
      /** A request of the API or of Git has ended. */
      event: "request";
      /** The id that a 5xx answer shows to its caller. */
      trace_id: string;
      /** The HTTP method. */
      method: string;
      /** The path, without the query. */
      path: string;
      /** The template of the call's path, such as `/{org}/{repo}`; `git` for Git's requests; `other` if there is no such call. */
      route: string;
      /** The HTTP status of the answer. */
      status: number;
      /** How long the answer took, in milliseconds. */
      duration_ms: number;
      /** The failure in the service. Only with a 5xx. */
      error?: string;
    }
  | {
      /** An attempt of a run has ended. */
      event: "sync";
      /** An id of this attempt. */
      trace_id: string;
      /** The run's id. */
      sync_id: string;
      /** The repository's id. */
      repo_id: string;
      /** The organisation's slug. */
      org: string;
      /** The repository's name. */
      repo: string;
      /** The direction: `pull` is from the upstream to the repository. */
      direction: "pull" | "push";
      /** The number of the attempt, from 1. */
      attempt: number;
      /**
       * The end of the attempt. `queued`: the run waits for its next attempt. `handed_back`: this process stopped, and another worker
       * takes the run. `lost`: another worker has the run now, or its repository was deleted.
       */
      status: "completed" | "failed" | "queued" | "handed_back" | "lost";
      /** How long the attempt took, in milliseconds. */
      duration_ms: number;
      /** How many refs are `updated`, `unchanged`, `filtered` and `rejected`. Only if the run completed. */
      refs?: { updated: number; unchanged: number; filtered: number; rejected: number };
      /** Why the attempt failed. Left out if it did not fail. */
      error?: string;
    }
  | {
      /** A webhook delivery was sent. */
      event: "webhook";
      /** An id of this delivery. */
      trace_id: string;
      /** The webhook target's id. */
      target_id: string;
      /** The event's id. */
      event_id: string;
      /** The event's type, such as `sync.completed`. */
      type: string;
      /** The number of the attempt, from 1. */
      attempt: number;
      /** The receiver's answer. `refused`: the delivery is sent again later. `given_up`: a day is over. */
      status: "delivered" | "refused" | "given_up";
      /** How long the delivery took, in milliseconds. */
      duration_ms: number;
      /** Why it was not delivered. Left out if it was. */
      error?: string;
    }
  | {
      /** A line of `log`. */
      event: "trouble";
      /** The line. */
      message: string;
    };
