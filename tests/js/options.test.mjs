// A misspelt option is refused by name. Otherwise nobody would read it, and its purpose would silently not be met.
import assert from "node:assert/strict";
import { test } from "node:test";

import { InvalidRequestError, SyncClient } from "refsync";
import { plan, sync } from "refsync/engine";
import {
  engineThreads,
  gitHttpBackend,
  guardedFetch,
  lineLog,
  openDataFolder,
  openPostgres,
  serve,
  work,
} from "refsync/node";
import { gitProxy } from "refsync/proxy";
import { Service } from "refsync/service";
import { signTestPayload, Webhooks } from "refsync/webhooks";

/**
 * Options that the types do not allow, as a JavaScript caller passes them.
 *
 * @param {object} options
 * @returns {any}
 */
const wrong = (options) => options;
const never = () => assert.fail("nothing is sent, read or opened");
const sides = { source: "http://h/a.git", destination: "http://h/b.git", fetch: never };
const service = { database: { query: never }, git: {}, fetch: never, secretKey: new Uint8Array(32) };
const client = () => new SyncClient({ apiUrl: "http://h", apiKey: "key", fetch: never });
/** @type {import("refsync").SyncRun} */
const run = wrong({ id: "s1", repo_id: "r1", status: "queued" });

/**
 * The first change of a watched run.
 *
 * @param {import("refsync").WatchOptions} options
 */
async function watched(options) {
  for await (const change of client().syncs.watch(run, options)) return change;
}

/**
 * The operation, its call, the field that the refusal names, and the suggested spelling.
 *
 * @type {[operation: string, call: () => unknown, field: string, meant: string | undefined][]}
 */
const table = [
  ["sync", () => sync(wrong({ ...sides, refGlobs: { branches: "main" } })), "refGlobs", "ref_globs"],
  ["sync", () => sync(wrong({ ...sides, push_options: [] })), "push_options", "pushOptions"],
  ["sync", () => sync(wrong({ ...sides, stall_timeout: 5 })), "stall_timeout", "stallTimeout"],
  ["sync", () => sync(wrong({ ...sides, dryRun: true })), "dryRun", undefined],
  ["sync", () => sync(wrong({ ...sides, max_refs: 5 })), "max_refs", "maxRefs"],
  ["sync", () => sync(wrong({ ...sides, minRate: { byte: 5, time: 1000 } })), "minRate.byte", "minRate.bytes"],
  ["plan", () => plan(wrong({ ...sides, exlude: [] })), "exlude", "exclude"],
  ["sync", () => sync(wrong({ ...sides, ref_globs: { branch: "main" } })), "ref_globs.branch", "ref_globs.branches"],
  ["sync", () => sync(wrong({ ...sides, source: { url: "http://h/a.git", user: "u" } })), "source.user", undefined],
  ["sync", () => sync(wrong({ ...sides, source: { URL: "http://h/a.git" } })), "source.URL", "source.url"],
  [
    "sync",
    () => sync(wrong({ ...sides, destination: { url: "http://h/a.git", pasword: "p" } })),
    "destination.pasword",
    "destination.password",
  ],
  ["Service", () => new Service(wrong({ ...service, publicURL: "http://h" })), "publicURL", "publicUrl"],
  [
    "Service",
    () => new Service(wrong({ ...service, rateLimit: { per_second: 1, burst: 1 } })),
    "rateLimit.per_second",
    "rateLimit.perSecond",
  ],
  ["Webhooks", () => new Webhooks(wrong({ secret: "s", tolerence: 5 })), "tolerence", "tolerance"],
  [
    "Webhooks",
    () => new Webhooks(wrong({ secret: "s", on: { "sync.complete": never } })),
    "on.sync.complete",
    "on.sync.completed",
  ],
  ["gitProxy", () => gitProxy(wrong({ hosts: ["h"], origins: ["*"], max_bytes: 5 })), "max_bytes", "maxBytes"],
  ["serve", () => serve(wrong({ service, host: "0.0.0.0" })), "host", undefined],
  ["work", () => work({ tick: never }, wrong({ concurency: 9 })), "concurency", "concurrency"],
  ["gitHttpBackend", () => gitHttpBackend(wrong({ root: "x", Root: "y" })), "Root", "root"],
  [
    "guardedFetch",
    () => guardedFetch(wrong({ allowPrivateNetworks: true })),
    "allowPrivateNetworks",
    "allowPrivateNetwork",
  ],
  ["engineThreads", () => engineThreads(wrong({ thread: 2 })), "thread", "threads"],
  ["engineThreads", () => engineThreads({ network: wrong({ allows: [] }) }), "network.allows", "network.allow"],
  ["openDataFolder", () => openDataFolder("/nowhere", wrong({ share: true })), "share", "shared"],
  ["openPostgres", () => openPostgres("postgres://h", wrong({ connection: 3 })), "connection", "connections"],
  ["lineLog", () => lineLog(wrong({ fromat: "json" })), "fromat", "format"],
  [
    "make a client",
    () => new SyncClient(wrong({ apiUrl: "http://h", apiKey: "k", maxRetrys: 3 })),
    "maxRetrys",
    "maxRetries",
  ],
  ["make a client", () => new SyncClient(wrong({ apiURL: "http://h", apiKey: "k" })), "apiURL", "apiUrl"],
  ["call", () => client().whoami(wrong({ time_out: 5 })), "time_out", "timeout"],
  ["call", () => client().organization({}, wrong({ Signal: AbortSignal.timeout(9) })), "Signal", "signal"],
  ["call", () => client().repos.get({ repo: "app" }, wrong({ timeOut: 5 })), "timeOut", "timeout"],
  ["call", () => client().repos.list({}, wrong({ timeOut: 5 })), "timeOut", "timeout"],
  ["call", () => client().syncs.list({ repo: "app" }, wrong({ timeOut: 5 })), "timeOut", "timeout"],
  ["call", () => client().webhookTargets.create({ url: "http://h" }, wrong({ timeOut: 5 })), "timeOut", "timeout"],
  ["wait for sync", () => client().syncs.wait(run, wrong({ onupdate: never })), "onupdate", "onUpdate"],
  ["watch sync", () => watched(wrong({ onUpdate: never })), "onUpdate", undefined],
];
for (const [operation, call, field, meant] of table) {
  test(`${operation} refuses ${field}${meant ? `, and asks whether ${meant} was meant` : ""}`, async () => {
    const error = await (async () => call())().then(
      () => assert.fail("it was not refused"),
      (thrown) => thrown,
    );
    assert.ok(error instanceof InvalidRequestError, `${error.stack}`);
    assert.equal(error.code, "INVALID_REQUEST");
    const message = `is not an option${meant ? `; did you mean ${meant}?` : ""}`;
    assert.deepEqual(error.fields, [{ field, message }]);
    assert.equal(error.message, `${operation === "plan" ? "sync" : operation}: ${field} ${message}`);
  });
}

test("all misspelt options of a call are named at once", () => {
  assert.throws(
    () => new Webhooks(wrong({ secret: "s", tolerence: 5, rember: 1 })),
    (error) => {
      assert.ok(error instanceof InvalidRequestError);
      assert.deepEqual(
        error.fields.map(({ field }) => field),
        ["tolerence", "rember"],
      );
      return true;
    },
  );
});

test("an option that is undefined is left out, whatever its name", async () => {
  new Webhooks(wrong({ secret: "s", tolerence: undefined }));
  const left = wrong({ ...sides, refGlobs: undefined, source: "ftp://h/a" });
  const error = await sync(left).catch((thrown) => thrown);
  assert.ok(error instanceof InvalidRequestError);
  assert.deepEqual(
    error.fields.map(({ field }) => field),
    ["source.url"],
  );
});

for (const [field, limit] of Object.entries({
  maxRefs: { maxRefs: -1 },
  maxCommits: { maxCommits: Number.NaN },
  maxMemory: { maxMemory: "1 GiB" },
  "minRate.bytes": { minRate: { time: 1000 } },
  "minRate.time": { minRate: { bytes: 1, time: -5 } },
})) {
  test(`sync refuses a ${field} that is no limit`, async () => {
    const error = await sync(wrong({ ...sides, ...limit })).catch((thrown) => thrown);
    assert.ok(error instanceof InvalidRequestError, `${error}`);
    assert.deepEqual(error.fields, [{ field, message: "must be a number, and at least 0" }]);
  });
}

for (const [field, message, options] of /** @type {[string, string, object][]} */ ([
  ["stallTimeout", "must be a number of milliseconds, and at least 0", { stallTimeout: "5s" }],
  ["timeout", "must be a number of milliseconds, and at least 0", { timeout: Number.NaN }],
  ["timeout", "must be a number of milliseconds, and at least 0", { timeout: -1 }],
  ["prune", "must be a whole number from 0 to 4294967295", { prune: 1.5 }],
  ["force", "must be true or false", { force: "no" }],
  ["exclude", "must be a list of strings", { exclude: "refs/heads/wip/*" }],
  ["pushOptions", "must be a list of strings", { pushOptions: { a: 1 } }],
  ["onProgress", "must be a function", { onProgress: 5 }],
  ["signal", "must be an AbortSignal", { signal: 5 }],
  ["ref_globs", "must be an object", { ref_globs: "main" }],
  ["ref_globs.branches", "must be a glob, or a list of globs", { ref_globs: { branches: 5 } }],
  ["minRate", "must be an object", { minRate: 5 }],
  ["source", "must be a URL or an object", { source: 5 }],
  ["destination", "must be a URL or an object", { destination: null }],
  ["source.fetch", "must be a function", { source: { url: "http://h/a", fetch: 5 } }],
  ["destination.credentials", "must be a function", { destination: { url: "http://h/b", credentials: "me" } }],
])) {
  test(`sync refuses ${JSON.stringify(options)} in plain words`, async () => {
    const error = await sync(wrong({ ...sides, ...options })).catch((thrown) => thrown);
    assert.ok(error instanceof InvalidRequestError, `${error}`);
    assert.deepEqual(error.fields, [{ field, message }]);
    assert.equal(error.message, `sync: ${field} ${message}`);
  });
}

/**
 * Each number option that is not an option of a sync: how it is given, and the words of the refusal.
 *
 * @type {[operation: string, option: string, words: RegExp, give: (value: any) => unknown][]}
 */
const numbers = [
  ["work", "concurrency", /a whole number from 1 to 9999/, (concurrency) => work({ tick: never }, { concurrency })],
  ["work", "pollInterval", /milliseconds from 1 to/, (pollInterval) => work({ tick: never }, { pollInterval })],
  ["engineThreads", "threads", /a whole number from 1 to 9999/, (threads) => engineThreads({ threads })],
  ["engineThreads", "maxMemory", /a whole number from 1 to 4294/, (maxMemory) => engineThreads({ maxMemory })],
  ["engineThreads", "answerWithin", /milliseconds from 1 to/, (answerWithin) => engineThreads({ answerWithin })],
  [
    "openPostgres",
    "connections",
    /a whole number from 1/,
    (connections) => openPostgres("postgres://h", { connections }),
  ],
  ["openDataFolder", "wait", /a number of milliseconds, and at/, (wait) => openDataFolder("/nowhere", { wait })],
  ["serve", "port", /a whole number from 0 to 65535/, (port) => serve({ service: { fetch: never }, port })],
  ["gitProxy", "maxConcurrent", /a whole number from 1/, (maxConcurrent) => proxied({ maxConcurrent })],
  ["gitProxy", "maxBytes", /a number, and at least 0/, (maxBytes) => proxied({ maxBytes })],
  ["gitProxy", "idleTimeout", /milliseconds from 1 to/, (idleTimeout) => proxied({ idleTimeout })],
  ["Webhooks", "tolerance", /a number, and at least 0/, (tolerance) => new Webhooks({ secret: "s", tolerance })],
  ["Webhooks", "remember", /a number, and at least 0/, (remember) => new Webhooks({ secret: "s", remember })],
  ["signTestPayload", "timestamp", /a number, and/, (timestamp) => signTestPayload("{}", "s", { timestamp })],
  [
    "Service",
    "keepRuns",
    /milliseconds, and at least 60000/,
    (keepRuns) => new Service(wrong({ ...service, keepRuns })),
  ],
  ["Service", "maxRuns", /a whole number from 1 to/, (maxRuns) => served({ maxRuns })],
  ["Service", "maxRunsPerOrganization", /a whole number from 1/, (most) => served({ maxRunsPerOrganization: most })],
  ["Service", "runTimeout", /milliseconds, above 0/, (runTimeout) => served({ runTimeout })],
  ["make a client", "maxRetries", /a whole number from 0 to/, (maxRetries) => called({ maxRetries })],
  ["make a client", "timeout", /a positive number of milliseconds/, (timeout) => called({ timeout })],
  ["call", "timeout", /a positive number of milliseconds/, (timeout) => client().whoami({ timeout })],
];
/** @param {object} options */
const proxied = (options) => gitProxy({ hosts: ["h"], origins: ["*"], ...options });
/** @param {object} options */
const called = (options) => new SyncClient({ apiUrl: "http://h", apiKey: "k", fetch: never, ...options }).whoami();
/** @param {object} options */
const served = (options) => new Service(wrong({ ...service, ...options })).fetch(new Request("http://h/healthz"));
for (const [operation, option, words, give] of numbers) {
  test(`${operation} refuses a ${option} that is no such number, and says what is allowed`, async () => {
    const fractions = /whole/.test(words.source) ? [1.5] : [];
    for (const value of [Number.NaN, -1, "5", "", true, {}, ...fractions]) {
      const error = await (async () => give(value))().catch((thrown) => thrown);
      assert.ok(error instanceof InvalidRequestError || error instanceof TypeError, `${String(value)}: ${error}`);
      assert.match(error.message, words, String(value));
      assert.match(error.message, new RegExp(`: ${option} (must|has to) be `));
    }
  });
}

for (const [message, call] of /** @type {[string, () => unknown][]} */ ([
  ["sync: options must be an object", () => Reflect.apply(sync, undefined, [])],
  [
    "make a client: fetch must be a function",
    () => new SyncClient(wrong({ apiUrl: "http://h", apiKey: "k", fetch: 5 })),
  ],
  ["call: signal must be an AbortSignal", () => client().whoami(wrong({ signal: 5 }))],
  ["wait for sync: onUpdate must be a function", () => client().syncs.wait(wrong({}), wrong({ onUpdate: 5 }))],
  ["list repositories: limit must be a whole number from 1 to 100", () => client().repos.list({ limit: 0 })],
  [
    "create repository: request must be an object, not null",
    () => Reflect.apply(client().repos.create, client().repos, [null]),
  ],
  [
    "list webhook targets: limit must be a whole number from 1 to 100",
    () => client().webhookTargets.list({ limit: 101 }),
  ],
])) {
  test(`a call is refused in plain words: ${message}`, async () => {
    const error = await Promise.resolve()
      .then(call)
      .catch((thrown) => thrown);
    assert.ok(error instanceof InvalidRequestError, `${error}`);
    assert.equal(error.message, message);
  });
}
