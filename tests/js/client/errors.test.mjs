// Every class of error, caused by a real answer of the real service, or by a missing answer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import * as refsync from "refsync";
import {
  AbortError,
  ConflictError,
  ConnectionError,
  ForbiddenError,
  InvalidRequestError,
  InvalidResponseError,
  NotFoundError,
  RateLimitedError,
  RefsyncError,
  ServerError,
  SyncClient,
  TimeoutError,
  UnauthenticatedError,
} from "refsync";

import { listen } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";
import { start } from "../service/support.mjs";

/**
 * @import { ClientOptions } from "refsync"
 * @import { ServiceOptions } from "refsync/service"
 */

/**
 * @param {import("node:test").TestContext} t
 * @param {Partial<ServiceOptions>} [service]
 */
async function hosted(t, service = {}) {
  const backend = await start(t, { service });
  const url = await backend.listen();
  /** @param {Partial<ClientOptions>} [options] */
  const client = (options = {}) =>
    new SyncClient({ apiUrl: url, apiKey: backend.keys.admin, maxRetries: 0, ...options });
  return { ...backend, url, client };
}

/** @type {Set<unknown>} */
const raised = new Set();

/**
 * @template {RefsyncError} E
 * @param {Promise<unknown>} call
 * @param {new (...args: never[]) => E} Class
 * @param {Partial<Record<keyof E, unknown>>} expected
 */
async function raises(call, Class, expected) {
  const error = await call.then(
    () => assert.fail(`${Class.name} was expected`),
    (/** @type {unknown} */ thrown) => thrown,
  );
  assert.ok(error instanceof Class, `${error}, expected a ${Class.name}`);
  assert.ok(error instanceof RefsyncError);
  raised.add(Class);
  for (const key of /** @type {(keyof E)[]} */ (Object.keys(expected))) {
    assert.deepEqual(error[key], expected[key], `${Class.name}.${String(key)}`);
  }
  return error;
}

test("what the service refuses", async (t) => {
  const { client, keys } = await hosted(t);
  const { repos } = client();
  await repos.create({ name: "app" });
  const bad = await raises(repos.create({ name: "a b" }), InvalidRequestError, {
    status: 400,
    code: "INVALID_REQUEST",
    retryable: false,
  });
  assert.equal(present(bad.fields[0]).field, "name");
  await raises(client({ apiKey: "wrong" }).whoami(), UnauthenticatedError, { status: 401, code: "UNAUTHENTICATED" });
  await raises(client({ apiKey: keys.read }).repos.create({ name: "b" }), ForbiddenError, {
    status: 403,
    code: "FORBIDDEN",
  });
  await raises(repos.get({ repo: "none" }), NotFoundError, { status: 404, code: "NOT_FOUND" });
  await raises(repos.create({ name: "APP" }), ConflictError, { status: 409, code: "CONFLICT" });
  await raises(repos.syncUpstream({ repo: "app", direction: "pull" }), ConflictError, {
    status: 409,
    code: "UPSTREAM_NOT_CONFIGURED",
  });
});

test("a key that calls too often is told how long to wait", async (t) => {
  const { client } = await hosted(t, { rateLimit: { perSecond: 0.1, burst: 1 } });
  const calls = client();
  await calls.whoami();
  const error = await raises(calls.whoami(), RateLimitedError, { status: 429, code: "RATE_LIMITED", retryable: true });
  const wait = present(error.retryAfter);
  assert.ok(wait >= 1000 && wait <= 10_000, `${wait} ms`);
});

test("a service whose database is gone answers a ServerError with a trace id", async (t) => {
  const { client, database } = await hosted(t);
  const calls = client();
  await calls.whoami();
  await database.query("DROP SCHEMA refsync CASCADE");
  const error = await raises(calls.whoami(), ServerError, { status: 500, code: "INTERNAL_ERROR", retryable: true });
  assert.ok(error.traceId, "an operator needs something to look for");
});

test("no answer, none in time, and a call that is given up", async (t) => {
  const { client, url, keys } = await hosted(t);
  // A port that was free a moment ago.
  const gone = createServer();
  const port = await listen(gone);
  gone.close();
  await once(gone, "close");
  await raises(client({ apiUrl: `http://127.0.0.1:${port}` }).whoami(), ConnectionError, {
    code: "CONNECTION_FAILED",
    retryable: true,
    status: undefined,
  });
  const { repos, syncs } = client();
  await repos.create({
    name: "app",
    upstream: { url: `${url}/acme/app.git`, auth: { kind: "token", token: keys.read } },
  });
  const run = await repos.syncUpstream({ repo: "app", direction: "pull" });
  await raises(syncs.wait(run, { timeout: 50 }), TimeoutError, { code: "TIMEOUT", retryable: true });
  const signal = AbortSignal.abort("enough");
  await raises(repos.get({ repo: "app" }, { signal }), AbortError, { code: "ABORTED", cause: "enough" });
});

test("a web page in the API's place is an InvalidResponseError that says so", async (t) => {
  // Like a server of single-page applications: it answers every path with the page.
  const page = await readFile(new URL("../../../pkg/dist/page/index.html", import.meta.url));
  const server = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(page));
  const port = await listen(server);
  t.after(() => server.close());
  const client = new SyncClient({ apiUrl: `http://127.0.0.1:${port}`, apiKey: "key" });
  const error = await raises(client.whoami(), InvalidResponseError, { status: 200, code: "INVALID_RESPONSE" });
  assert.match(error.message, /expected a Whoami from http.*bytes of text\/html are not JSON/);
});

test("every class of error that the client exports was raised above", () => {
  const classes = Object.values(refsync).filter((value) => value?.prototype instanceof RefsyncError);
  assert.ok(classes.length >= 11, `${classes.length} classes`);
  assert.deepEqual(
    classes.filter((Class) => !raised.has(Class)).map(({ name }) => name),
    [],
  );
});

test("an error that nobody catches never shows the compiled code", () => {
  /** @type {[program: string, message: RegExp][]} */
  const programs = [
    [
      'import { SyncClient } from "refsync"; await new SyncClient({ apiUrl: "http://127.0.0.1:1", apiKey: "k", maxRetries: 0 }).whoami();',
      /ConnectionError: /,
    ],
    [
      'import { sync } from "refsync/engine"; await sync({ source: "http://127.0.0.1:1/a", destination: "http://127.0.0.1:1/b" });',
      /SyncError: (source|destination): /,
    ],
    [
      'import { Service } from "refsync/service"; const query = async () => { throw new Error("it is away"); }; ' +
        "await new Service({ database: { query }, git: {}, fetch, secretKey: new Uint8Array(32) }).migrate();",
      /Error: database: it is away/,
    ],
    [
      'import { Service } from "refsync/service"; ' +
        "await new Service({ database: { query() {} }, git: {}, fetch: 5, secretKey: new Uint8Array(32) }).tick();",
      /TypeError: Service: fetch must be a function/,
    ],
  ];
  for (const [program, message] of programs) {
    const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, message);
    const longest = Math.max(...stderr.split("\n").map((line) => line.length));
    assert.ok(longest < 300, `a line of ${longest} characters: ${stderr.slice(0, 400)}`);
  }
});
