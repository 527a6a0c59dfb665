/**
 * The service: typed methods over the WebAssembly build.
 *
 * @module
 */
import { wasm } from "#service-wasm";
import type { Database } from "../host.js";
import { refuseUnknown } from "../options.js";
import { loader } from "../wasm/load.js";
import init, { initSync, Service as WasmService } from "../wasm/service/refsync.js";
import { serviceCrypto } from "./crypto.js";
import { serviceEngine } from "./engine.js";
import { hookRefs } from "./hook.js";
import { Counters } from "./metrics.js";
import type { LogRecord, Scope, ServiceOptions } from "./options.js";
import { watchedPush } from "./pushes.js";
import { render } from "./render.js";
import { Retention } from "./retention.js";
import { nextTick } from "./schedule.js";
import { upgrade } from "./upgrade.js";

const load = loader({ init, initSync }, wasm);

const openapi = async () => (await import("../wasm/service/openapi.js")).document;

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
  keepRuns: true,
  keepEvents: true,
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

/**
 * The service. Making one loads nothing; the first call loads the WebAssembly.
 *
 * @example
 * ```ts
 * import { gitHttpBackend, guardedFetch, openPostgres, serve, work } from "refsync/node";
 * import { Service } from "refsync/service";
 *
 * const service = new Service({
 *   database: await openPostgres("postgres://refsync@db.example.com/refsync"),
 *   git: gitHttpBackend({ root: "./data/repositories" }),
 *   fetch: guardedFetch(),
 *   secretKey: Buffer.from(process.env.SECRET_KEY ?? "", "base64"), // the same 32 bytes at each start
 * });
 * await service.migrate();
 * work(service);
 * await serve({ service, port: 8722 });
 * ```
 */
export class Service {
  readonly #counters: Counters | undefined;
  readonly #use: <T>(call: (service: WasmService) => T | Promise<T>) => Promise<T>;
  readonly #database: Database;
  readonly #retention: Retention;

  /**
   * Makes a service. Nothing is loaded or opened.
   *
   * @throws `TypeError` if an option is missing or has the wrong type.
   * @throws `InvalidRequestError` if an option is unknown.
   */
  constructor(options: ServiceOptions) {
    refuseUnknown("Service", options, known);
    refuseUnknown("Service", options.rateLimit, knownOfRateLimit, "rateLimit.");
    const { secretKey, previousSecretKeys = [], keepRuns = 90 * DAY, keepEvents = 7 * DAY } = options;
    for (const [name, time] of Object.entries({ keepRuns, keepEvents })) {
      if (!(typeof time === "number" && time >= 60_000)) {
        throw new TypeError(`Service: ${name} must be a number of milliseconds, and at least 60000`);
      }
    }
    this.#database = options.database;
    this.#retention = new Retention(options.database, { keepRuns, keepEvents });
    const isKey = (key: Uint8Array) => key instanceof Uint8Array && key.length === 32;
    if (!isKey(secretKey)) throw new TypeError("Service: secretKey must be a Uint8Array of 32 bytes");
    if (!previousSecretKeys.every(isKey)) {
      throw new TypeError("Service: each of previousSecretKeys must be a Uint8Array of 32 bytes");
    }
    const counters = options.metrics === true ? new Counters() : undefined;
    this.#counters = counters;
    let service: WasmService | undefined;
    this.#use = async (call) => {
      try {
        await load(options.wasm);
        service ??= new WasmService(provided(options, counters));
        return await call(service);
      } catch (error) {
        throw readable(error);
      }
    };
  }

  /**
   * Brings the database's schema up to date, and encrypts the stored secrets with the current secret key. Call it at each start, before
   * anything else.
   *
   * @throws if a newer version has used the database, or if the secret key is a different one.
   */
  async migrate(): Promise<void> {
    await this.#upgrade();
  }

  /**
   * Takes over the runs and deliveries of a killed process without waiting for its leases to end. Call it only if no other process
   * works on this database, for example while you hold the data folder's lock.
   */
  async adopt(): Promise<void> {
    await this.#use((service) => service.adopt());
  }

  /** Brings the schema up to this version only. A backup is restored into it; `migrate` does the rest. */
  async migrateTo(version: number): Promise<void> {
    await this.#upgrade(version);
  }

  async #upgrade(newest?: number): Promise<void> {
    const migrateTo = (version?: number) =>
      this.#use((service) => (version === undefined ? service.migrate() : service.migrateTo(version)));
    await upgrade(this.#database, migrateTo, newest);
  }

  /** Makes an organisation if it does not exist. A `name` renames it. Paths contain its slug. */
  async ensureOrganization(slug: string, name?: string): Promise<void> {
    await this.#use((service) => service.ensureOrganization(slug, name));
  }

  /** Makes an API key, and returns it. It cannot be shown again, because only its hash is stored. */
  async createApiKey(org: string, scope: Scope, name?: string): Promise<string> {
    return this.#use((service) => service.createApiKey(org, scope, name));
  }

  /**
   * Makes a code for the page's address, `/#code=…`. It works once, within ten minutes. The page exchanges it for a key of scope
   * admin. That key is valid for twelve hours, or until the user signs out.
   */
  async createPageCode(org: string): Promise<string> {
    return this.#use((service) => service.createPageCode(org));
  }

  /**
   * Makes an Ed25519 private key, `mesa_private_key_<org>_…`, and returns it. It cannot be shown again, because only the public key is
   * stored. Its owner uses it to sign access tokens, as the SDKs of the Mesa API do.
   */
  async createPrivateKey(org: string, name?: string): Promise<string> {
    return this.#use((service) => service.createPrivateKey(org, name));
  }

  /** Registers the public key of a private key that was made elsewhere, as a JWK's `x`. */
  async registerPublicKey(org: string, x: string, name?: string): Promise<void> {
    await this.#use((service) => service.registerPublicKey(org, x, name));
  }

  /**
   * Answers `/v1/…`, `/{org}/{repo}.git/…`, `/healthz` and `/readyz`. Git's bodies are streamed.
   *
   * @throws only the errors of the Git host. Other failures are answered with a 5xx.
   */
  async fetch(request: Request): Promise<Response> {
    const response = await this.#use((service) => service.fetch(request));
    if (this.#counters === undefined || request.method !== "GET" || response.status !== 200) return response;
    if (new URL(request.url).pathname !== "/metrics") return response;
    return new Response((await response.text()) + this.#counters.text(), response);
  }

  /**
   * Answers a request of the operator, which needs no credential: `/v1/{org}/…` as that organisation's admin, and `GET` and `POST` of
   * `/operator/orgs`. Never pass it a request that comes from a network.
   */
  async operatorFetch(request: Request): Promise<Response> {
    return this.#use((service) => service.operatorFetch(request));
  }

  /**
   * Claims one run, calls `onClaimed`, and does the run; false if no run was ready. `isLastLane`: claims no run if its upstream's host
   * or, among several organisations, its organisation has a run in progress. So neither one slow host nor one organisation can hold
   * every lane. `work` of `refsync/node` is the loop around it.
   *
   * @throws if the database fails.
   */
  async tick(onClaimed?: () => void, isLastLane = false): Promise<boolean> {
    return this.#use((service) => service.tick(onClaimed, isLastLane));
  }

  /**
   * Hands back the runs in progress, so that another worker can take them at once, and claims no more work. The `tick`s of these runs
   * resolve. Calls are still answered, and `/readyz` answers 503.
   */
  async stop(): Promise<void> {
    await this.#use((service) => service.stop());
  }

  /**
   * Deletes some runs that are older than `keepRuns`, and the events of some that are older than `keepEvents`; false if it has looked at
   * all of them. `work` of `refsync/node` calls it again and again.
   *
   * @throws if the database fails.
   */
  async cleanUp(): Promise<boolean> {
    return this.#retention.step();
  }

  /**
   * Claims one due webhook delivery, calls `onClaimed`, and sends the delivery; false if none was due. It takes at most ten
   * seconds. A refused delivery is retried for a day.
   *
   * @throws if the database fails.
   */
  async deliver(onClaimed?: () => void): Promise<boolean> {
    return this.#use((service) => service.deliver(onClaimed));
  }
}

/** Everything that the WebAssembly code gets. */
function provided(options: ServiceOptions, counters: Counters | undefined): object {
  const { git, fetch, engineWasm } = options;
  const engine = options.engine ?? serviceEngine(git, fetch, engineWasm);
  const own = { nextTick, render, hookRefs, watchedPush, openapi, crypto: serviceCrypto };
  return {
    ...options,
    ...own,
    engine: counters?.engine(engine) ?? engine,
    ...(counters && counting(counters, options)),
  };
}

/** The options `record` and `log` of a service that counts. Without `record`, lines go where they went. */
function counting(counters: Counters, { record, log }: ServiceOptions): Pick<ServiceOptions, "record" | "log"> {
  return {
    record(told: LogRecord) {
      counters.record(told);
      record?.(told);
    },
    log: log ?? (record ? () => {} : (line) => console.error(`refsync: ${line}`)),
  };
}

/** Milliseconds. */
const DAY = 24 * 60 * 60 * 1000;

/**
 * The same error, made here, if the WebAssembly code made it. For an uncaught error, Node prints the line that made it, which is the whole
 * minified code in that case.
 */
function readable(error: unknown): unknown {
  if (!(error instanceof Error) || !error.stack?.split("\n", 3).some((line) => line.includes("__wbg_"))) return error;
  const own = error instanceof TypeError ? new TypeError(error.message) : new Error(error.message);
  return Object.assign(own, error);
}
