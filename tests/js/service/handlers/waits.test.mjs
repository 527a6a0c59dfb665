// Calls that wait: `Prefer: wait` (RFC 7240) of a sync, and the wait for a commit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { PGlite } from "@electric-sql/pglite";
import { SyncClient } from "refsync";
import { work } from "refsync/node";

import { onBoth } from "../databases.mjs";
import { mirror } from "../policy/mirror.mjs";
import { fields, silentServer, start } from "../support.mjs";

const unknown = "0123456789".repeat(4);

/**
 * Works in the background until the test ends.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("refsync/service").Service} service
 */
function working(t, service) {
  const stop = new AbortController();
  const worker = work(service, { signal: stop.signal, pollInterval: 50 });
  t.after(async () => {
    stop.abort();
    await worker.stopped;
  });
}

/** @param {number} begun */
const seconds = (begun) => (performance.now() - begun) / 1000;

onBoth("a sync with Prefer: wait answers with the ended run", async (t, where) => {
  const s = await mirror(t, where);
  working(t, s.service);
  const next = await s.source.commit("next", s.root);
  await s.source.git("update-ref", "refs/heads/main", next);
  const prefer = (/** @type {string} */ value) => ({ headers: { prefer: value } });
  const sync = { direction: "pull", ref_globs: { branches: "main" } };
  const [status, run, response] = await s.call(
    "POST",
    "/acme/app/upstream/syncs",
    sync,
    prefer("respond-async, wait=20"),
  );
  assert.deepEqual([status, run.status, response.headers.get("preference-applied")], [201, "completed", "wait=20"]);
  assert.deepEqual(
    run.stats.refs.map((/** @type {{ after: string }} */ { after }) => after),
    [next],
  );
  for (const value of ["", "wait", "wait=soon", "wait=-1", "return=minimal"]) {
    const [code, answer, { headers }] = await s.call("POST", "/acme/app/upstream/syncs", sync, prefer(value));
    assert.deepEqual([code, headers.get("preference-applied")], [201, null], value);
    assert.equal(answer.stats, null);
  }
});

onBoth("when the time of Prefer: wait is over, the answer is the run as it is", async (t, where) => {
  const s = await mirror(t, where);
  const begun = performance.now();
  const headers = { prefer: "wait=1" };
  const [status, run, response] = await s.call("POST", "/acme/app/upstream/syncs", { direction: "pull" }, { headers });
  assert.deepEqual([status, run.status, response.headers.get("preference-applied")], [201, "queued", "wait=1"]);
  assert.ok(seconds(begun) >= 1 && seconds(begun) < 4, `${seconds(begun)} s`);
  const [, , long] = await s.call("POST", "/acme/app/upstream/syncs", { direction: "sideways" }, { headers });
  assert.equal(long.status, 400, "a bad request does not wait");
});

onBoth("a commit that is there is found at once, from any ref or from the one that is named", async (t, where) => {
  const s = await mirror(t, where);
  const second = await s.local.commit("second", s.root);
  await s.local.git("update-ref", "refs/heads/side", second);
  const ensure = (/** @type {object} */ body) => s.call("POST", "/acme/app/upstream/ensure", body);
  const there = [200, { reachable: true, sync: null }];
  assert.deepEqual((await ensure({ sha: second })).slice(0, 2), there);
  assert.deepEqual((await ensure({ sha: s.root, ref: "refs/heads/side" })).slice(0, 2), there);
  assert.deepEqual((await ensure({ sha: s.root, ref: "refs/tags/v1" })).slice(0, 2), there);
  const loose = await s.local.commit("loose", s.root);
  await s.local.git("update-ref", `refs/refsync/backup/${loose}/heads/main`, loose);
  for (const [body, why] of /** @type {[object, string][]} */ ([
    [{ sha: second, ref: "refs/heads/main" }, "another branch has it"],
    [{ sha: second, ref: "refs/heads/missing" }, "there is no such branch"],
    [{ sha: loose }, "only a backup has it"],
    [{ sha: await s.local.git("rev-parse", `${s.root}^{tree}`) }, "it is no commit"],
    [{ sha: "ab".repeat(32) }, "an id of another format"],
  ])) {
    const [status, answer] = await ensure({ timeout_seconds: 0, ...body });
    assert.deepEqual([status, answer.reachable, answer.sync.status], [202, false, "queued"], why);
  }
});

onBoth("a commit that is missing is pulled, and the answer comes when it is there", async (t, where) => {
  const s = await mirror(t, where);
  working(t, s.service);
  const next = await s.source.commit("next", s.root);
  await s.source.git("update-ref", "refs/heads/main", next);
  const client = new SyncClient({ apiUrl: await s.listen(), apiKey: s.keys.write });
  const ensured = await client.repos.ensure({ repo: "app", sha: next, ref: "refs/heads/main" });
  assert.equal(ensured.reachable, true);
  assert.deepEqual([ensured.sync?.status, ensured.sync?.ref_globs], ["completed", { branches: "main", tags: "" }]);
  assert.equal((await s.local.refs()).get("refs/heads/main"), next);
  // The upstream gets the commit after the first pull.
  const later = await s.source.commit("later", next);
  const waiting = client.repos.ensure({ repo: "app", sha: later });
  await delay(700);
  await s.source.git("update-ref", "refs/heads/main", later);
  assert.equal((await waiting).reachable, true);
  assert.deepEqual(await client.repos.ensure({ repo: "app", sha: later }), { reachable: true, sync: null });
});

onBoth(
  "a commit that does not come is answered with 202 and the run, and a failed run ends the wait",
  async (t, where) => {
    const s = await mirror(t, where);
    working(t, s.service);
    const begun = performance.now();
    const [status, late] = await s.call("POST", "/acme/app/upstream/ensure", { sha: unknown, timeout_seconds: 2 });
    assert.deepEqual([status, late.reachable, late.sync.direction], [202, false, "pull"]);
    assert.ok(seconds(begun) >= 2 && seconds(begun) < 6, `${seconds(begun)} s`);
    await s.ok("PATCH", "/acme/app", { upstream: { url: s.app.upstream.url.replace("source", "nowhere") } });
    const [code, failed] = await s.call("POST", "/acme/app/upstream/ensure", { sha: unknown, timeout_seconds: 60 });
    assert.deepEqual([code, failed.reachable, failed.sync.status], [202, false, "failed"]);
    assert.ok(seconds(begun) < 30, "it does not wait for the end of its time");
    await s.ok("PATCH", "/acme/app", { upstream: null });
    const [none, { error }] = await s.call("POST", "/acme/app/upstream/ensure", { sha: unknown });
    assert.deepEqual([none, error.code], [409, "UPSTREAM_NOT_CONFIGURED"]);
  },
);

onBoth("bad input of a wait for a commit is refused, and the field is named", async (t, where) => {
  const s = await mirror(t, where);
  for (const [body, field] of /** @type {[object, string][]} */ ([
    [{}, "sha"],
    [{ sha: "main" }, "sha"],
    [{ sha: s.root.slice(1) }, "sha"],
    [{ sha: s.root.toUpperCase() }, "sha"],
    [{ sha: 7 }, "sha"],
    [{ sha: s.root, ref: "main" }, "ref"],
    [{ sha: s.root, ref: "refs/heads/a b" }, "ref"],
    [{ sha: s.root, ref: "--all" }, "ref"],
    [{ sha: s.root, timeout_seconds: 301 }, "timeout_seconds"],
    [{ sha: s.root, timeout_seconds: -1 }, "timeout_seconds"],
    [{ sha: s.root, timeout_seconds: 1.5 }, "timeout_seconds"],
    [{ sha: s.root, timeout_seconds: "30" }, "timeout_seconds"],
    [{ sha: s.root, timeout: 30 }, "timeout"],
  ])) {
    const answer = await s.call("POST", "/acme/app/upstream/ensure", body);
    assert.deepEqual([answer[0], fields(answer)], [400, [field]], JSON.stringify(body));
  }
  const [status] = await s.call("POST", "/acme/app/upstream/ensure", { sha: s.root }, { key: s.keys.read });
  assert.equal(status, 403, "it may start a sync, so it needs the scope write");
});

test("the ref of a repository on another Git server names the commit", async (t) => {
  const s = await mirror(t);
  const origin = { url: s.app.upstream.url, auth: { kind: "token", token: s.keys.write } };
  await s.ok("POST", "/acme/repos", { name: "far", origin, upstream: { url: "http://127.0.0.1:9/x.git" } });
  const ensure = (/** @type {object} */ body) =>
    s.call("POST", "/acme/far/upstream/ensure", { timeout_seconds: 0, ...body });
  assert.deepEqual((await ensure({ sha: s.root }))[0], 200);
  assert.deepEqual((await ensure({ sha: s.root, ref: "refs/tags/v1" }))[0], 200);
  assert.deepEqual((await ensure({ sha: s.root, ref: "refs/heads/missing" }))[0], 202);
  assert.deepEqual((await ensure({ sha: unknown }))[0], 202);
});

test("an organisation has two hundred waiting calls, and together they query the database rarely", async (t) => {
  const database = new PGlite();
  let queries = 0;
  const counted = {
    query: (/** @type {string} */ sql, /** @type {unknown[]} */ params) => {
      if (sql.includes("to_jsonb(s.status)")) queries += 1;
      return database.query(sql, params);
    },
  };
  const s = await start(t, { service: { database: counted } });
  t.after(() => database.close());
  const { url } = await silentServer(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const sync = (/** @type {number} */ seconds) =>
    s.call("POST", "/acme/app/upstream/syncs", { direction: "pull" }, { headers: { prefer: `wait=${seconds}` } });
  const waiting = Array.from({ length: 200 }, () => sync(6));
  await delay(2000);
  const [status, { error }] = await s.call("POST", "/acme/app/upstream/ensure", { sha: unknown });
  assert.deepEqual([status, error.code], [429, "RATE_LIMITED"]);
  const [code, , response] = await sync(60);
  assert.deepEqual([code, response.headers.get("preference-applied")], [201, null], "a preference is not an order");
  for (const [, , { headers }] of await Promise.all(waiting)) assert.equal(headers.get("preference-applied"), "wait=6");
  assert.ok(queries < 1400, `${queries} queries by 200 calls in 6 s`);
  const { rows } = await database.query("SELECT count(*)::int AS n FROM refsync.syncs");
  assert.deepEqual(rows, [{ n: 1 }], "all of them joined one run");
});
