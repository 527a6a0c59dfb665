// A service on a real PGlite and real `git http-backend` repositories, with helpers for the tests.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PGlite } from "@electric-sql/pglite";
import { gitHttpBackend, guardedFetch, serve } from "refsync/node";
import { Service } from "refsync/service";

import { eventually } from "../../support/eventually.mjs";
import { gitNow as git } from "../../support/git/git.mjs";
import { listen } from "../../support/network/listen.mjs";
import { openPool } from "../../support/service/pool.mjs";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 * @import { TestContext } from "node:test"
 * @import { ServiceOptions } from "refsync/service"
 * @import { Json } from "../../support/json.mjs"
 *
 * @typedef {Awaited<ReturnType<typeof start>>} Started
 * @typedef {{ service?: Partial<ServiceOptions>, postgres?: string }} StartOptions `postgres` is a PostgreSQL's URL.
 * @typedef {{ key?: string | null, headers?: Record<string, string> }} CallOptions `key` is the admin's if left out.
 * @typedef {[status: number, body: Json, response: Response]} Answer
 */

export { eventually, git };

/**
 * An empty database: PGlite in memory, or a PostgreSQL whose schema `refsync` is dropped. Without an argument
 * `REFSYNC_TEST_POSTGRES` may hold the URL of one; tests on it must run one file at a time (`--test-concurrency=1`).
 *
 * @param {string | undefined} connectionString
 * @returns {Promise<import("refsync/service").Database & { close?(): Promise<void>, end?(): Promise<void> }>}
 */
async function openDatabase(connectionString = process.env.REFSYNC_TEST_POSTGRES) {
  if (!connectionString) return new PGlite();
  const pool = openPool(connectionString);
  await pool.query("SET client_min_messages = warning; DROP SCHEMA IF EXISTS refsync CASCADE");
  return pool;
}

/**
 * A service with the organisation `acme`, and a key of each scope. It is removed with the test.
 *
 * @param {TestContext} t
 * @param {StartOptions} [options]
 */
export async function start(t, options = {}) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-service-"));
  const database = await openDatabase(options.postgres);
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  /** @type {string[]} */
  const lines = [];
  let queued = 0;
  const service = new Service({
    database,
    git: gitHttpBackend({ root: join(folder, "repositories") }),
    fetch,
    secretKey: new Uint8Array(32).fill(7),
    onQueued: () => {
      queued += 1;
    },
    log: (line) => lines.push(line),
    ...options.service,
  });
  t.after(async () => {
    await fetch.close();
    await (database.end?.() ?? database.close?.());
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  await service.migrate();
  await service.ensureOrganization("acme", "Acme");
  const keys = {
    read: await service.createApiKey("acme", "read"),
    write: await service.createApiKey("acme", "write"),
    admin: await service.createApiKey("acme", "admin"),
  };

  /**
   * One call: `[status, body]`.
   *
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {CallOptions} [more]
   * @returns {Promise<Answer>}
   */
  async function call(method, path, body, { key = keys.admin, headers = {} } = {}) {
    const response = await service.fetch(
      new Request(`http://service.test/v1${path}`, {
        method,
        headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    return [response.status, text ? JSON.parse(text) : null, response];
  }

  return {
    service,
    database,
    folder,
    keys,
    lines,
    call,
    queued: () => queued,
    /**
     * A call whose answer must be 2xx. Returns its body.
     *
     * @param {string} method
     * @param {string} path
     * @param {unknown} [body]
     * @param {CallOptions} [more]
     * @returns {Promise<Json>}
     */
    async ok(method, path, body, more) {
      const [status, answer] = await call(method, path, body, more);
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
      return answer;
    },
    /** The service behind a socket: its address. */
    async listen() {
      const listener = await serve({ service });
      t.after(() => listener.close(0));
      return listener.url;
    },
    /**
     * @param {string} text
     * @param {unknown[]} [params]
     * @returns {Promise<Json[]>}
     */
    sql: async (text, params) => (await database.query(text, params)).rows,
  };
}

/**
 * A server that accepts requests and never answers, such as an upstream whose pulls stay in progress. `held` has the first
 * request of each pull, for the list of refs, as `{ request, response }`. It refuses all other requests. After `hangUp` it
 * ends every connection. It stops with the test.
 *
 * @param {TestContext} t
 */
export async function silentServer(t) {
  /** @type {{ request: IncomingMessage, response: ServerResponse }[]} */
  const held = [];
  let hangsUp = false;
  const server = createServer((request, response) => {
    if (hangsUp) request.socket.destroy();
    else if (request.method === "POST") held.push({ request, response });
    else response.writeHead(404).end();
  });
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}/x.git`,
    held,
    hangUp() {
      hangsUp = true;
      server.closeAllConnections();
    },
  };
}

/**
 * A service with a run in progress: its repository `app` pulls from a silent upstream, which holds the first request.
 *
 * @param {TestContext} t
 */
export async function running(t) {
  const { url, held } = await silentServer(t);
  const s = await start(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const tick = s.service.tick();
  await eventually(() => held.length === 1);
  return { ...s, held, id, tick };
}

/**
 * The names of the bad fields in an answer.
 *
 * @param {Answer} answer
 */
export function fields([, body]) {
  /** @type {{ field: string }[]} */
  const complaints = body.error.details?.fields ?? [];
  return complaints.map(({ field }) => field);
}
