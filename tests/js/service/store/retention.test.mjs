// Old runs and events are deleted, and nothing that is still needed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Service } from "refsync/service";

import { onBoth } from "../databases.mjs";
import { start } from "../support.mjs";

const DAY = 24 * 60 * 60 * 1000;

/**
 * A service with the repository `app`, and a function that adds runs to it. A run's id has the time at which it was queued.
 *
 * @param {import("node:test").TestContext} t
 * @param {Parameters<Parameters<typeof onBoth>[1]>[1]} where
 * @param {Partial<import("refsync/service").ServiceOptions>} options
 */
async function started(t, where, options) {
  const s = await start(t, { ...where, service: options });
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/r.git" } });
  /**
   * @param {string} name the end of its id
   * @param {number} days how long ago it was queued; it ended two seconds later
   * @param {string} [status]
   * @param {string} [direction]
   */
  const add = async (name, days, status = "completed", direction = "pull") => {
    const [{ id }] = await s.sql(
      `INSERT INTO refsync.syncs (id, repo_id, direction, branches, tags, status, stats, created_at, finished_at, lease, lease_expires_at)
       SELECT 'sync_' || lpad(to_hex((extract(epoch FROM at.moment) * 1000)::bigint), 12, '0') || $1, r.id, $4, $1, '*', $3,
         CASE WHEN $3 = 'completed' THEN '{"refs": []}'::jsonb END, at.moment,
         CASE WHEN $3 IN ('completed', 'failed') THEN at.moment + interval '2 seconds' END,
         CASE WHEN $3 = 'in_progress' THEN 'other' END, CASE WHEN $3 = 'in_progress' THEN now() + interval '1 h' END
       FROM refsync.repos r, (SELECT now() - make_interval(days => $2::int) AS moment) at
       RETURNING id`,
      [name, days, status, direction],
    );
    await s.sql(
      `INSERT INTO refsync.sync_events (sync_id, run) VALUES ($1, '{"status": "queued", "attempt": 1}'),
         ($1, jsonb_build_object('status', $2::text, 'attempt', 1))`,
      [id, status],
    );
    return id;
  };
  const cleanUp = async () => {
    for (let steps = 0; await s.service.cleanUp(); steps += 1) assert.ok(steps < 100);
  };
  /** The runs that are left, and those that have events, by the ends of their ids. */
  const left = async () => {
    const rows = await s.sql(
      `SELECT substr(id, 18) AS name, EXISTS (SELECT FROM refsync.sync_events e WHERE e.sync_id = s.id) AS has_events
       FROM refsync.syncs s ORDER BY id`,
    );
    return rows.map(({ name, has_events }) => (has_events ? `${name}+` : name)).join(" ");
  };
  return { ...s, add, cleanUp, left };
}

onBoth(
  "old runs go, but not open ones, the last of each direction, or those with webhooks to send",
  async (t, where) => {
    const { add, cleanUp, left, sql } = await started(t, where, { keepRuns: 90 * DAY, keepEvents: 7 * DAY });
    await add("first", 120);
    await add("push", 119, "failed", "push");
    await add("progress", 118, "in_progress");
    await add("queued", 117, "queued");
    const told = await add("told", 116, "failed");
    await add("second", 100);
    await add("month", 30);
    await add("week", 8, "failed");
    await add("new", 1);
    await sql(
      `INSERT INTO refsync.webhook_targets (id, org_id, url, events, secret)
     SELECT 'whk_1', id, 'https://receiver.example.com/', '[]', 'sealed' FROM refsync.organizations`,
    );
    await sql("INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope) VALUES ('whk_1', $1, '{}')", [
      told,
    ]);
    await cleanUp();
    assert.equal(await left(), "push progress+ queued+ told month week new+");
    await sql("DELETE FROM refsync.webhook_deliveries");
    await cleanUp();
    assert.equal(await left(), "push progress+ queued+ month week new+");
  },
);

onBoth("nothing goes if everything is kept", async (t, where) => {
  const { add, cleanUp, left } = await started(t, where, {
    keepRuns: Number.POSITIVE_INFINITY,
    keepEvents: Number.POSITIVE_INFINITY,
  });
  await add("first", 3000);
  await add("second", 2000);
  await cleanUp();
  assert.equal(await left(), "first+ second+");
});

onBoth("more runs than one step looks at go too", async (t, where) => {
  const { add, cleanUp, sql } = await started(t, where, { keepRuns: DAY });
  await sql(
    `INSERT INTO refsync.syncs (id, repo_id, direction, branches, tags, status, created_at, finished_at)
     SELECT 'sync_' || lpad(to_hex(1700000000000 + n), 12, '0') || 'old', r.id, 'pull', '*', '*', 'completed',
       to_timestamp(1700000000), to_timestamp(1700000000)
     FROM refsync.repos r, generate_series(1, 1500) n`,
  );
  await add("new", 0);
  await cleanUp();
  assert.equal((await sql("SELECT count(*)::int AS runs FROM refsync.syncs"))[0].runs, 1);
});

onBoth("runs share their stats if nothing changed, and the stats go with the last of these runs", async (t, where) => {
  const { sql, ok, service } = await started(t, where, {
    keepRuns: DAY,
    engine: { sync: async () => JSON.stringify({ stats: stats[0], head: null }), findRef: async () => undefined },
  });
  const outcome = (/** @type {string} */ after) => ({
    name: "refs/heads/main",
    before: "1".repeat(40),
    after: after.repeat(40),
    outcome: after === "1" ? "unchanged" : "updated",
    reason: null,
    message: null,
  });
  const stats = [{ refs: [outcome("1")] }];
  const count = async () => {
    const [row] = await sql(
      "SELECT (SELECT count(*)::int FROM refsync.run_stats) AS stats, count(stats)::int AS own FROM refsync.syncs",
    );
    return [row.stats, row.own];
  };
  /** @param {number} days */
  const run = async (days) => {
    const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
    await service.tick();
    await sql(
      `UPDATE refsync.syncs SET finished_at = now() - make_interval(days => ${days}),
         id = 'sync_' || lpad(to_hex((extract(epoch FROM now() - make_interval(days => ${days})) * 1000)::bigint), 12, '0') || right(id, 16)
       WHERE id = '${id}'`,
    );
    return `sync_%${id.slice(-16)}`;
  };
  const shown = async (/** @type {string} */ like) => {
    const [{ id }] = await sql(`SELECT id FROM refsync.syncs WHERE id LIKE '${like}'`);
    return (await ok("GET", `/acme/app/upstream/syncs/${id}`)).stats;
  };
  await run(9);
  const second = await run(8);
  assert.deepEqual(await count(), [1, 0]);
  stats[0] = { refs: [outcome("2")] };
  const third = await run(7);
  assert.deepEqual(await count(), [2, 0]);
  stats[0] = { refs: [outcome("1")] };
  const fourth = await run(0);
  assert.deepEqual(await count(), [2, 0], "a later run has the same stats again");
  assert.deepEqual(await shown(second), stats[0]);
  assert.deepEqual(await shown(third), { refs: [outcome("2")] });
  while (await service.cleanUp());
  assert.deepEqual(await count(), [1, 0]);
  assert.deepEqual(await shown(fourth), stats[0]);
  await ok("DELETE", "/acme/app");
  assert.equal((await sql("SELECT count(*)::int AS count FROM refsync.run_stats"))[0].count, 0);
});

onBoth(
  "one who follows a run whose events are gone gets its end, and the stream does not come again",
  async (t, where) => {
    const { add, cleanUp, service, keys, ok } = await started(t, where, {});
    const id = await add("old", 20);
    const follow = (/** @type {Record<string, string>} */ headers) =>
      service.fetch(
        new Request(`http://service.test/v1/acme/app/upstream/syncs/${id}/events`, {
          headers: { authorization: `Bearer ${keys.read}`, accept: "text/event-stream", ...headers },
        }),
      );
    await cleanUp();
    const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
    /** @type {Record<string, string>[]} */
    const starts = [{}, { "last-event-id": "1" }, { "last-event-id": "123456" }];
    for (const headers of starts) {
      const text = await (await follow(headers)).text();
      assert.match(text, /^id: 2$/m);
      assert.deepEqual(JSON.parse([...text.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? ""), run);
    }
    assert.equal((await follow({ "last-event-id": "2" })).status, 204);
  },
);

test("a repository with many queued runs is removed at once", async (t) => {
  const { ok, sql } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/r.git" } });
  await sql(`INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
    SELECT r.id, 'pull', 'b' || n, '*' FROM refsync.repos r, generate_series(1, 8000) n`);
  const from = performance.now();
  await ok("DELETE", "/acme/app");
  const ms = performance.now() - from;
  const [left] = await sql(
    "SELECT (SELECT count(*)::int FROM refsync.syncs) AS runs, (SELECT count(*)::int FROM refsync.turns) AS turns",
  );
  assert.deepEqual(left, { runs: 0, turns: 0 });
  assert.ok(ms < 5_000, `${Math.round(ms)} ms`);
});

test("a time that is no time is refused", () => {
  for (const keepRuns of [0, -1, Number.NaN, 59_999]) {
    const options = /** @type {any} */ ({
      secretKey: new Uint8Array(32),
      keepRuns,
    });
    assert.throws(() => new Service(options), /keepRuns must be a number of milliseconds, and at least 60000/);
  }
});
