// A run is followed with the service's events, planned and cancelled, against the real service.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { test } from "node:test";

import { ConflictError, NotFoundError, SyncClient } from "refsync";

import { listen } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";
import { eventually, git, start } from "../service/support.mjs";

/**
 * @import { ClientOptions, Fetch } from "refsync"
 *
 * @typedef {[method: string | undefined, path: string]} Noted
 */

/**
 * A service with `app`, whose upstream is `source`, which has a commit and a tag; notes every request of its client.
 *
 * @param {import("node:test").TestContext} t
 * @param {Partial<ClientOptions>} [options]
 */
async function hosted(t, options = {}) {
  const backend = await start(t);
  const url = await backend.listen();
  /** @type {Noted[]} */
  const requests = [];
  /** @type {Fetch} */
  const noted = (input, init) => {
    requests.push([init?.method, new URL(input).pathname]);
    return fetch(input, init);
  };
  const client = new SyncClient({ apiUrl: url, apiKey: backend.keys.admin, org: "acme", fetch: noted, ...options });
  await client.repos.create({ name: "source" });
  /** @type {import("refsync").UpstreamAuth} */
  const auth = { kind: "token", token: backend.keys.admin };
  await client.repos.create({ name: "app", upstream: { url: `${url}/acme/source.git`, auth } });
  await git(backend.folder, "init", "--quiet", "--initial-branch=main", "tree");
  const tree = `${backend.folder}/tree`;
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "one");
  const address = `${url.replace("://", `://git:${backend.keys.admin}@`)}/acme/source.git`;
  await git(tree, "push", "--quiet", address, "main", "main:refs/tags/v1");
  return { ...backend, url, client, requests };
}

/** @param {Noted[]} requests */
const ends = (requests) => requests.map(([method, path]) => `${method} ${path.split("/").slice(5).join("/")}`);

test("watch follows a run by its events, and polls nothing", async (t) => {
  const { client, requests, service } = await hosted(t);
  const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
  requests.length = 0;
  const seen = [];
  for await (const change of client.syncs.watch(run)) {
    if (seen.length === 0) void service.tick();
    seen.push(change);
  }
  assert.deepEqual(ends(requests), [`GET syncs/${run.id}/events`]);
  const statuses = seen.map(({ status }) => status).filter((status, at, all) => status !== all[at - 1]);
  assert.deepEqual(statuses, ["queued", "in_progress", "completed"], "no status is missed");
  assert.deepEqual(seen.at(-1), await client.syncs.get({ repo: "app", sync_id: run.id }));
});

test("a watch whose connection is cut goes on where it was", async (t) => {
  const { client: direct, keys, url, service } = await hosted(t);
  /** @type {(string | string[] | undefined)[]} */
  const cuts = [];
  // A reverse proxy that lets the first stream of events send something, and then cuts it off.
  const proxy = createServer((incoming, answer) => {
    const path = incoming.url ?? "/";
    const onward = request(new URL(path, url), { method: incoming.method, headers: incoming.headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
      if (!path.endsWith("/events")) return;
      cuts.push(incoming.headers["last-event-id"]);
      if (cuts.length === 1) reply.once("data", () => setTimeout(() => answer.destroy(), 50));
    });
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  });
  const port = await listen(proxy);
  t.after(() => proxy.closeAllConnections());
  t.after(() => proxy.close());
  const client = new SyncClient({ apiUrl: `http://127.0.0.1:${port}`, apiKey: keys.admin });
  const run = await direct.repos.syncUpstream({ repo: "app", direction: "pull" });
  /** @type {string[]} */
  const statuses = [];
  const watching = (async () => {
    for await (const { status } of client.syncs.watch(run)) statuses.push(status);
  })();
  await eventually(() => cuts.length === 2);
  await service.tick();
  await watching;
  assert.equal(cuts[0], undefined);
  assert.match(String(cuts[1]), /^\d+$/, "the second stream starts after the last event of the first");
  assert.equal(statuses.at(-1), "completed");
  assert.equal(new Set(statuses).size, 3, `each status was seen: ${statuses}`);
});

test("giving a wait up closes its stream", async (t) => {
  const { client, url, keys } = await hosted(t);
  const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
  /** @type {AbortSignal[]} */
  const streams = [];
  /** @type {Fetch} */
  const noted = async (input, init) => {
    if (input.endsWith("/events")) streams.push(present(init?.signal));
    return fetch(input, init);
  };
  const { syncs } = new SyncClient({ apiUrl: url, apiKey: keys.read, org: "acme", fetch: noted });
  const stop = new AbortController();
  const waiting = syncs.wait(run, { signal: stop.signal });
  await eventually(() => streams.length === 1);
  stop.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(present(streams[0]).aborted, true, "the service is no longer kept busy");
  for await (const { status } of syncs.watch(run)) {
    assert.equal(status, "queued");
    break;
  }
  await eventually(() => streams.every(({ aborted }) => aborted));
});

test("a plan says what a sync would do, and changes nothing", async (t) => {
  const { client, keys, url } = await hosted(t);
  const stats = await client.repos.planUpstreamSync({ repo: "app", direction: "pull", ref_globs: { branches: "*" } });
  assert.deepEqual(
    stats.refs.map(({ name, before, outcome }) => [name, before, outcome]),
    [["refs/heads/main", null, "updated"]],
  );
  assert.deepEqual((await client.syncs.list({ repo: "app" })).syncs, [], "no run is made");
  await assert.rejects(client.repos.planUpstreamSync({ repo: "source", direction: "pull" }), (error) => {
    assert.ok(error instanceof ConflictError);
    assert.equal(error.code, "UPSTREAM_NOT_CONFIGURED");
    return true;
  });
  /** @type {import("refsync").UpstreamUpdate} */
  const upstream = { url: `${url}/acme/none.git`, auth: { kind: "token", token: keys.admin } };
  await client.repos.update({ repo: "app", upstream });
  await assert.rejects(client.repos.planUpstreamSync({ repo: "app", direction: "pull" }), (error) => {
    assert.ok(error instanceof ConflictError);
    assert.equal(error.code, "UPSTREAM_FAILED");
    return true;
  });
});

test("a queued run is cancelled at once, and an ended one conflicts", async (t) => {
  const { client } = await hosted(t);
  const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
  const cancelled = await client.syncs.cancel({ repo: "app", sync_id: run.id });
  assert.deepEqual([cancelled.id, cancelled.status, cancelled.error], [run.id, "failed", "cancelled"]);
  await assert.rejects(client.syncs.cancel({ repo: "app", sync_id: run.id }), ConflictError);
  await assert.rejects(client.syncs.cancel({ repo: "app", sync_id: "none" }), NotFoundError);
});

test("a run that is only named is waited for and watched", async (t) => {
  const { client, service } = await hosted(t);
  const { id, repo_id } = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
  const waiting = Promise.all([
    client.syncs.wait({ id, repo_id }),
    client.syncs.wait(id, { repo: "app" }),
    client.syncs.wait({ id, repo_id: "renamed meanwhile" }, { repo: "app", org: "acme", timeout: 20_000 }),
  ]);
  await service.tick();
  for (const run of await waiting) assert.deepEqual([run.id, run.status], [id, "completed"]);
  const seen = [];
  for await (const run of client.syncs.watch({ id, repo_id })) seen.push(run.status);
  assert.deepEqual(seen, ["completed"]);
});

test("the timeout of a wait also counts while a named run is looked up", async (t) => {
  /** @type {Fetch} */
  const never = (_, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
  const client = new SyncClient({ apiUrl: "http://127.0.0.1:1", apiKey: "k", org: "acme", fetch: never });
  const name = { id: "an-id", repo_id: "app" };
  const begun = performance.now();
  await assert.rejects(client.syncs.wait(name, { timeout: 100 }), { name: "TimeoutError", code: "TIMEOUT" });
  assert.ok(performance.now() - begun < 3_000);
  const stop = new AbortController();
  const waiting = client.syncs.wait(name, { timeout: 10_000, signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  // @ts-expect-error: not a number
  await assert.rejects((await hosted(t)).client.syncs.wait(name, { timeout: "1" }));
});

test("a run that is named badly is refused in plain words", async (t) => {
  const { client } = await hosted(t);
  await assert.rejects(client.syncs.wait("an-id"), {
    name: "InvalidRequestError",
    message: "wait for sync: repo is missing; name the repository of the run, or pass the whole run",
  });
  await assert.rejects(client.syncs.wait("00000000-0000-4000-8000-000000000000", { repo: "app" }), NotFoundError);
  // @ts-expect-error: as of a variable that is not set
  await assert.rejects(client.syncs.wait(undefined), { name: "InvalidRequestError" });
});
