// The promise of an upstream: how old the mirror may become, and who is told if it becomes older.
import assert from "node:assert/strict";
import { test } from "node:test";

import { SyncClient } from "refsync";

import { onBoth } from "../databases.mjs";
import { mirror } from "../policy/mirror.mjs";
import { receive } from "../receiver.mjs";
import { fields, start } from "../support.mjs";
import { MINUTE, movedClock } from "./moved-clock.mjs";

/** @import { Json } from "../../../support/json.mjs" */

const events = ["stale", "recovered", "diverged", "paused", "held"].map((name) => `upstream.${name}`);

/**
 * A mirror with a receiver of its events.
 *
 * @param {import("node:test").TestContext} t
 * @param {Parameters<typeof mirror>[1]} [options]
 */
async function watched(t, options) {
  const clock = movedClock(t);
  const s = await mirror(t, options);
  const hook = await receive(t);
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events });
  const { url } = s.app.upstream;
  return {
    ...s,
    clock,
    /** @param {object} changes */
    change: async (changes) => (await s.ok("PATCH", "/acme/app", { upstream: { url, ...changes } })).upstream,
    /**
     * Does a run, and something else after its start.
     *
     * @param {() => Promise<unknown>} act
     */
    whileRunning: async (act) => {
      /** @type {Promise<unknown> | undefined} */
      let acting;
      assert.equal(
        await s.service.tick(() => {
          acting = act();
        }),
        true,
      );
      await acting;
    },
    upstream: async () => (await s.ok("GET", "/acme/app")).upstream,
    /**
     * The events since the last call: the type without `upstream.`, and the data.
     *
     * @returns {Promise<Json[]>}
     */
    told: async () => {
      while (await s.service.deliver()) {}
      return hook.deliveries.splice(0).map(({ event }) => [event.type.replace("upstream.", ""), event.data]);
    },
    /** @returns {Promise<[status: number, body: Json]>} */
    freshness: async (query = "") => {
      const [status, body] = await s.call("GET", `/acme/app/upstream/freshness${query}`);
      return [status, body];
    },
  };
}

/**
 * All times in the database become older, as if so much time had passed. So this is the same on PostgreSQL, whose clock nobody
 * moves.
 *
 * @param {{ sql(text: string): Promise<Json[]>, clock: ReturnType<typeof movedClock> }} s
 * @param {string} interval
 */
async function passed({ sql, clock }, interval) {
  const older = ["verified_at", "verified_steady", "watched_from", "check_at", "stale_at"].map(
    (name) => `upstream_${name} = upstream_${name} - interval '${interval}'`,
  );
  await sql(`UPDATE refsync.repos SET ${older.join(", ")}`);
  // The service looks once a second.
  clock.pass(1_100);
}

onBoth("a monitor gets 200 or 503, and the same body", async (t, where) => {
  const s = await watched(t, where);
  assert.equal((await s.upstream()).max_age, undefined);
  const missing = await s.call("GET", "/acme/app/upstream/freshness");
  assert.deepEqual([missing[0], fields(missing)], [400, ["max_age"]]);
  const { verified_at } = await s.upstream();
  const [status, body] = await s.freshness("?max_age=15m");
  assert.equal(status, 200);
  assert.ok(body.age_seconds >= 0 && body.age_seconds < 60, body.age_seconds);
  assert.deepEqual(body, { fresh: true, verified_at, age_seconds: body.age_seconds, max_age: "15m", behind: 0 });
  assert.equal((await s.change({ max_age: "10m" })).max_age, "10m");
  assert.equal((await s.freshness())[1].max_age, "10m");
  await passed(s, "10 minutes");
  const stale = await s.freshness();
  assert.deepEqual([stale[0], stale[1].fresh, stale[1].behind], [503, false, 0]);
  assert.ok(stale[1].age_seconds > 600 && stale[1].age_seconds < 700);
  assert.equal((await s.freshness("?max_age=1h"))[0], 200, "the request's own maximum wins");
  const { changed } = await s.change({ max_age: null });
  assert.equal(changed?.max_age, undefined);
  assert.equal((await s.freshness())[0], 400);

  await s.ok("POST", "/acme/repos", { name: "alone" });
  const alone = await s.call("GET", "/acme/alone/upstream/freshness?max_age=15m");
  assert.deepEqual([alone[0], alone[1].error.code], [409, "UPSTREAM_NOT_CONFIGURED"]);
});

test("bad input names its field and the bounds", async (t) => {
  const s = await watched(t);
  for (const max_age of ["", "15", "15s", "0m", "366d", "1.5h", "-1m", "1h30m", " 5m", "9999999d"]) {
    const asked = await s.call("GET", `/acme/app/upstream/freshness?max_age=${encodeURIComponent(max_age)}`);
    assert.deepEqual([asked[0], fields(asked)], [400, ["max_age"]], max_age);
    assert.match(asked[1].error.message, /1m to 365d/);
    const upstream = { url: s.app.upstream.url, max_age };
    for (const answer of [
      await s.call("PATCH", "/acme/app", { upstream }),
      await s.call("POST", "/acme/repos", { upstream }),
    ]) {
      assert.deepEqual([answer[0], fields(answer)], [400, ["upstream.max_age"]], max_age);
      assert.match(answer[1].error.message, /1m to 365d/);
    }
  }
  for (const [name, value] of /** @type {[string, unknown][]} */ ([
    ["max_age", 15],
    ["public_badge", "yes"],
  ])) {
    const answer = await s.call("PATCH", "/acme/app", { upstream: { url: s.app.upstream.url, [name]: value } });
    assert.deepEqual([answer[0], fields(answer)], [400, [`upstream.${name}`]]);
  }
});

test("the client returns a stale repository as an answer, and an error as an error", async (t) => {
  const s = await watched(t);
  const client = new SyncClient({ apiUrl: await s.listen(), apiKey: s.keys.read, org: "acme" });
  assert.equal((await client.repos.freshness({ repo: "app", max_age: "15m" })).fresh, true);
  await passed(s, "1 hour");
  const stale = await client.repos.freshness({ repo: "app", max_age: "15m" });
  assert.deepEqual([stale.fresh, stale.max_age, stale.behind], [false, "15m", 0]);
  await assert.rejects(client.repos.freshness({ repo: "app", max_age: "soon" }), { code: "INVALID_REQUEST" });
  const calls = t.mock.method(globalThis, "fetch", async () => new Response("down", { status: 503 }));
  const alone = new SyncClient({ apiUrl: "http://refsync.test", apiKey: "k", org: "acme", maxRetries: 0 });
  await assert.rejects(alone.repos.freshness({ repo: "app" }), { status: 503 });
  assert.equal(calls.mock.callCount(), 1);
});

onBoth("a stale mirror is announced once, and once more when it is fresh again", async (t, where) => {
  const s = await watched(t, where);
  await s.change({ max_age: "15m" });
  assert.deepEqual(await s.told(), []);
  await passed(s, "14 minutes");
  assert.deepEqual(await s.told(), [], "it is not older than it may be");
  await passed(s, "2 minutes");
  const { verified_at } = await s.upstream();
  const [[type, data], ...more] = await s.told();
  assert.deepEqual([type, more], ["stale", []]);
  assert.ok(data.age_seconds >= 16 * 60 && data.age_seconds < 17 * 60, data.age_seconds);
  assert.deepEqual(data, { fresh: false, verified_at, age_seconds: data.age_seconds, max_age: "15m", behind: 0 });
  assert.ok(Date.now() - Date.parse((await s.upstream()).stale_since) < MINUTE);
  await passed(s, "1 hour");
  await s.change({ max_age: "10m" });
  await passed(s, "1 hour");
  assert.deepEqual(await s.told(), [], "it is still the same");

  await s.sync({ ref_globs: { branches: "main" } });
  await s.sync({ policy: { exclude: ["refs/heads/*"] } });
  await s.sync({ direction: "push" });
  await passed(s, "1 minute");
  assert.deepEqual(await s.told(), [], "these syncs do not look at everything that the upstream has");
  await s.sync();
  await passed(s, "1 second");
  const told = await s.told();
  assert.deepEqual([told.length, told[0][0], told[0][1].fresh], [1, "recovered", true]);
  assert.equal((await s.upstream()).stale_since, undefined);

  await passed(s, "11 minutes");
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["stale"],
  );
  await s.change({ max_age: "1h" });
  await passed(s, "1 second");
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["recovered"],
    "it may be older now",
  );
  await passed(s, "2 hours");
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["stale"],
  );
  await s.change({ max_age: null });
  await passed(s, "1 second");
  assert.deepEqual(await s.told(), [], "nothing is promised any more");
  assert.equal((await s.upstream()).stale_since, undefined);
});

test("an upstream that was never synced may be as old as its promise first", async (t) => {
  const s = await watched(t);
  const { url } = s.app.upstream;
  await s.ok("POST", "/acme/repos", { name: "new", upstream: { url, max_age: "15m" } });
  assert.equal((await s.call("GET", "/acme/new/upstream/freshness"))[0], 503);
  await passed(s, "14 minutes");
  assert.deepEqual(await s.told(), []);
  await passed(s, "2 minutes");
  const [[type, data]] = await s.told();
  assert.deepEqual([type, data.verified_at, data.age_seconds], ["stale", null, null]);
});

test("what was verified before a change of the mirror does not count", async (t) => {
  const s = await watched(t);
  const { url } = s.app.upstream;
  const auth = { kind: "token", token: s.keys.write };
  for (const [before, after] of /** @type {[object, object][]} */ ([
    [{}, { url: url.replace("source", "SOURCE"), auth }],
    [{}, { policy: { exclude: ["refs/heads/gone"] } }],
    [{ policy: { exclude: ["refs/heads/gone"] } }, { policy: null }],
    [{}, { schedule: { every: "30d", direction: "push" } }],
  ])) {
    await s.change({ policy: null, schedule: null, ...before });
    await s.sync();
    assert.equal((await s.freshness("?max_age=15m"))[0], 200);
    await s.change(after);
    const [status, body] = await s.freshness("?max_age=15m");
    assert.deepEqual([status, body.verified_at], [503, null], JSON.stringify(after));
  }
  await s.change({ policy: null, schedule: null });
  await s.sync();
  await s.change({ policy: { on_diverged: "backup_and_force" }, schedule: { every: "15m" }, max_age: "15m" });
  assert.equal((await s.freshness())[0], 200, "these changes are about other things");
  await s.ok("PATCH", "/acme/app", { origin: { url, auth } });
  assert.equal((await s.freshness())[0], 503, "the repository is elsewhere now");
});

onBoth("a run that began before a change proves nothing after it", async (t, where) => {
  const s = await watched(t, where);
  const { url } = s.app.upstream;
  await s.ok("PATCH", "/acme/app", { upstream: { url, policy: { exclude: ["refs/heads/work"] } } });
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.whileRunning(() => s.sql("UPDATE refsync.repos SET upstream_policy = NULL"));
  assert.equal((await s.ok("GET", `/acme/app/upstream/syncs/${id}`)).status, "completed");
  assert.equal((await s.freshness("?max_age=15m"))[0], 503);
});

test("damaged files are not fresh", async (t) => {
  const s = await watched(t);
  await s.change({ max_age: "15m" });
  const { rm } = await import("node:fs/promises");
  await rm(`${s.folder}/repositories/${s.app.id}.git/objects`, { recursive: true });
  const [status, { age_seconds }] = await s.freshness();
  assert.equal(status, 503);
  assert.ok(age_seconds < 60);
  assert.match((await s.ok("GET", "/acme/app")).damaged, /objects/);
  await passed(s, "1 second");
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["stale"],
  );
  await s.sync();
  await s.sync();
  await passed(s, "1 second");
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["recovered"],
  );
  assert.equal((await s.freshness())[0], 200);
});

onBoth("refs that diverge are announced once, by name", async (t, where) => {
  const s = await watched(t, where);
  await s.rewrite();
  assert.deepEqual(s.outcomes(await s.sync()), { main: "unchanged", work: "non_fast_forward", v1: "tag_moved" });
  const both = { direction: "pull", count: 2, refs: ["refs/heads/work", "refs/tags/v1"] };
  assert.deepEqual(await s.told(), [["diverged", both]]);
  await s.sync();
  await s.sync({ ref_globs: { branches: "work" } });
  await s.sync({ ref_globs: { branches: "main" } });
  assert.deepEqual(await s.told(), [], "nothing has changed");

  await s.source.git("update-ref", "refs/tags/v1", s.root);
  await s.sync();
  assert.deepEqual(await s.told(), []);
  await s.source.git("update-ref", "refs/tags/v1", await s.source.commit("moved again"));
  await s.sync({ ref_globs: { tags: "v1" } });
  assert.deepEqual(await s.told(), [["diverged", { direction: "pull", count: 1, refs: ["refs/tags/v1"] }]]);
});

onBoth("moves that are held for an upstream go with it", async (t, where) => {
  const s = await watched(t, { ...where, policy: { on_diverged: "hold" } });
  await s.rewrite();
  await s.sync();
  assert.equal((await s.held()).length, 2);
  await s.ok("PATCH", "/acme/app", { upstream: null });
  assert.deepEqual(await s.held(), []);
  const { url } = s.app.upstream;
  const auth = { kind: "token", token: s.keys.write };
  await s.ok("PATCH", "/acme/app", { upstream: { url, auth, policy: { on_diverged: "hold" } } });
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  // The run of the upstream that is removed meanwhile finds held moves, too.
  await s.whileRunning(() => s.sql("UPDATE refsync.repos SET upstream_url = upstream_url || '/' WHERE name = 'app'"));
  assert.equal((await s.ok("GET", `/acme/app/upstream/syncs/${id}`)).stats.refs[1].reason, "held");
  assert.deepEqual(await s.held(), []);
});

test("a paused schedule is announced once", async (t) => {
  const s = await watched(t);
  const bad = { kind: "token", token: "expired" };
  await s.change({ auth: bad, schedule: { every: "30d" } });
  for (let n = 0; n < 7; n += 1) assert.equal((await s.sync()).status, "failed");
  const { paused_at, pause_reason } = await s.upstream();
  assert.deepEqual(await s.told(), [["paused", { paused_at, reason: pause_reason }]]);
});

test("two processes that look at the same time announce each change once", async (t) => {
  const { postgres } = await import("../../../support/service/postgres.mjs");
  const server = await postgres();
  t.after(() => server.stop());
  const clock = movedClock(t);
  const s = { ...(await start(t, { postgres: server.url })), clock };
  const hook = await receive(t);
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events });
  for (let n = 0; n < 40; n += 1) {
    await s.ok("POST", "/acme/repos", { upstream: { url: "http://127.0.0.1:9/x.git", max_age: "15m" } });
  }
  await passed(s, "20 minutes");
  const { readFile } = await import("node:fs/promises");
  const sql = await readFile(new URL("../../../../src/service/store/sql/freshness_watch.sql", import.meta.url), "utf8");
  await Promise.all(Array.from({ length: 30 }, () => s.database.query(sql, ['{"limit": 7}'])));
  assert.deepEqual(await s.sql("SELECT count(*)::int FROM refsync.webhook_deliveries"), [{ count: 40 }]);
});

test("a clock that is set back makes nothing younger", async (t) => {
  const s = await watched(t);
  const { clock } = s;
  await s.change({ max_age: "15m" });
  clock.pass(10 * MINUTE);
  await s.service.tick();
  clock.set(-60 * MINUTE);
  const age = async () => (await s.freshness())[1].age_seconds;
  assert.ok((await age()) >= 600 && (await age()) < 620, `${await age()} s`);
  clock.pass(3 * MINUTE);
  await s.service.tick();
  assert.ok((await age()) >= 780 && (await age()) < 800, "it is corrected once");
  assert.equal((await s.freshness())[0], 200);
  clock.pass(3 * MINUTE);
  assert.equal((await s.freshness())[0], 503);
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["stale"],
  );
  await s.sync();
  assert.ok((await age()) < 20, "what is verified after the step has its own age");
  clock.pass(2_000);
  assert.deepEqual(
    (await s.told()).map(([type]) => type),
    ["recovered"],
  );
});

test("a process that starts after the clock was set back calls nothing fresh", async (t) => {
  const s = await watched(t);
  const { clock } = s;
  await s.change({ max_age: "15m" });
  assert.equal((await s.freshness())[0], 200);
  clock.set(-5 * MINUTE);
  const { Service } = await import("refsync/service");
  const { gitHttpBackend } = await import("refsync/node");
  const service = new Service({
    database: s.database,
    git: gitHttpBackend({ root: `${s.folder}/repositories` }),
    fetch: globalThis.fetch,
    secretKey: new Uint8Array(32).fill(7),
    log: () => {},
  });
  const headers = { authorization: `Bearer ${s.keys.read}` };
  const ask = () => service.fetch(new Request("http://service.test/v1/acme/app/upstream/freshness", { headers }));
  const answer = await ask();
  assert.deepEqual([answer.status, (await answer.json()).verified_at], [503, null]);
  clock.pass(2_000);
  await s.sync();
  assert.equal((await ask()).status, 200);
});
