// Claims from a long queue: in the right order, and without reading the queue.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { root } from "../../../../scripts/command.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { onBoth } from "../databases.mjs";
import { eventually, start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { StartOptions } from "../support.mjs"
 */

/** An engine whose runs end at once. */
const engine = {
  async sync() {
    return JSON.stringify({ stats: { refs: [] }, head: null });
  },
  async findRef() {
    return undefined;
  },
};

/**
 * A service with repositories and their queued runs, made by SQL. `runs` are queued in this order.
 *
 * @param {TestContext} t
 * @param {Pick<StartOptions, "postgres">} where
 * @param {{ org: string, host: string, repo: string, globs?: string }[]} runs
 * @param {Partial<import("refsync/service").ServiceOptions>} [options]
 */
async function queue(t, where, runs, options = {}) {
  const s = await start(t, { ...where, service: { engine, ...options } });
  for (const org of new Set(runs.map(({ org }) => org))) await s.service.ensureOrganization(org);
  await s.sql(
    `INSERT INTO refsync.repos (id, org_id, name, default_bookmark, upstream_url)
     SELECT repo, (SELECT id FROM refsync.organizations o WHERE o.slug = org), repo, 'main', format('https://%s/r.git', host)
     FROM jsonb_to_recordset($1::text::jsonb) AS run (org text, host text, repo text)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(runs)],
  );
  await s.sql(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
     SELECT repo, 'pull', coalesce(globs, '*'), '*'
     FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS given (run, n), jsonb_to_record(run) AS run (repo text, globs text)
     ORDER BY n`,
    [JSON.stringify(runs)],
  );
  return {
    ...s,
    /** Does a run, and returns its repository and branches. */
    async next() {
      const before = new Set(
        (await s.sql("SELECT id FROM refsync.syncs WHERE status = 'completed'")).map(({ id }) => id),
      );
      if (!(await s.service.tick())) return null;
      const ended = await s.sql("SELECT id, repo_id, branches FROM refsync.syncs WHERE status = 'completed'");
      const [run] = ended.filter(({ id }) => !before.has(id));
      return `${run?.repo_id} ${run?.branches}`;
    },
    /**
     * Marks the oldest queued run of a repository as in progress at another worker.
     *
     * @param {string} repo
     */
    async begin(repo) {
      await s.sql(
        `UPDATE refsync.syncs SET status = 'in_progress', lease = 'other', lease_expires_at = now() + interval '1 h', started_at = now()
         WHERE id = (SELECT id FROM refsync.syncs WHERE repo_id = $1 AND status = 'queued' ORDER BY seq LIMIT 1)`,
        [repo],
      );
    },
  };
}

/**
 * @param {number} count
 * @param {(n: number) => { org: string, host: string, repo: string, globs?: string }} make
 */
const many = (count, make) => Array.from({ length: count }, (_, n) => make(n));

onBoth("runs of one organisation and host are done in the order in which they were queued", async (t, where) => {
  const { next } = await queue(t, where, [
    { org: "acme", host: "a.test", repo: "r1" },
    { org: "acme", host: "b.test", repo: "r2" },
    { org: "acme", host: "a.test", repo: "r3", globs: "x" },
    { org: "acme", host: "a.test", repo: "r3", globs: "y" },
    { org: "small", host: "a.test", repo: "r4" },
    { org: "acme", host: "a.test", repo: "r1", globs: "z" },
  ]);
  const order = [];
  for (let run = await next(); run !== null; run = await next()) order.push(run);
  assert.deepEqual(order, ["r1 *", "r2 *", "r3 x", "r3 y", "r4 *", "r1 z"]);
});

onBoth("an organisation or a host with less in progress passes a backlog", async (t, where) => {
  const { next, begin } = await queue(t, where, [
    ...many(300, (n) => ({ org: "acme", host: "slow.test", repo: `a${n}` })),
    { org: "acme", host: "other.test", repo: "a-other" },
    { org: "small", host: "slow.test", repo: "s-slow" },
    { org: "small", host: "third.test", repo: "s-third" },
  ]);
  await begin("a0");
  await begin("a1");
  assert.equal(await next(), "s-third *", "neither its organisation nor its host has a run in progress");
  assert.equal(await next(), "a-other *", "two in progress, and it has waited longer than the next");
  assert.equal(await next(), "s-slow *");
  assert.equal(await next(), "a2 *");
});

onBoth("a repository with a run in progress holds up no other, however many runs it has", async (t, where) => {
  const { next, begin } = await queue(t, where, [
    ...many(300, (n) => ({ org: "acme", host: "a.test", repo: "many", globs: `b${n}` })),
    { org: "acme", host: "a.test", repo: "last" },
  ]);
  await begin("many");
  assert.equal(await next(), "last *");
  assert.equal(await next(), null);
});

onBoth("runs that wait for their next attempt hold up no other, and come when it is time", async (t, where) => {
  const { next, sql } = await queue(t, where, [
    ...many(300, (n) => ({ org: "acme", host: "a.test", repo: `w${n}` })),
    { org: "acme", host: "a.test", repo: "last" },
  ]);
  await sql(
    "UPDATE refsync.syncs SET attempt = 2, run_after = now() + interval '10 s' WHERE repo_id LIKE 'w%' AND status = 'queued'",
  );
  assert.equal(await next(), "last *");
  assert.equal(await next(), null);
  await sql("INSERT INTO refsync.syncs (repo_id, direction, branches, tags) VALUES ('w7', 'pull', 'new', '*')");
  assert.equal(await next(), "w7 new", "a new run of a repository does not wait for its older one");
  await sql("UPDATE refsync.syncs SET run_after = now() WHERE repo_id = 'w9' AND status = 'queued'");
  assert.equal(await next(), "w9 *");
  assert.equal(await next(), null);
});

onBoth("runs of a repository that moves to another host or server follow it", async (t, where) => {
  const { next, begin, sql } = await queue(
    t,
    where,
    [
      { org: "acme", host: "slow.test", repo: "busy" },
      { org: "acme", host: "slow.test", repo: "r1" },
      { org: "acme", host: "slow.test", repo: "r2" },
    ],
    { onlyOrigins: true },
  );
  assert.equal(await next(), null, "this worker has no access to hosted repositories");
  await sql("UPDATE refsync.repos SET origin_url = 'https://origin.test/r.git' WHERE id <> 'r1'");
  await begin("busy");
  assert.equal(await next(), "r2 *");
  await sql("UPDATE refsync.repos SET origin_url = 'https://origin.test/r.git', upstream_url = 'https://b.test/r.git'");
  const [{ host, is_elsewhere }] = await sql(
    "SELECT host, line::text > '8' AS is_elsewhere FROM refsync.turns WHERE repo_id = 'r1'",
  );
  assert.deepEqual([host, is_elsewhere], ["b.test", true]);
  assert.equal(await next(), "r1 *");
});

onBoth("more organisations and hosts than one claim looks at all get their turn", async (t, where) => {
  const { next, begin } = await queue(t, where, [
    ...many(120, (n) => ({ org: `org${n % 40}`, host: `h${n}.test`, repo: `r${n}` })),
    ...many(120, (n) => ({ org: "acme", host: `acme${n}.test`, repo: `a${n}` })),
  ]);
  for (let n = 0; n < 40; n += 1) await begin(`r${n}`);
  const seen = new Set();
  for (let run = await next(); run !== null; run = await next()) seen.add(run);
  assert.equal(seen.size, 200);
});

test("calls and workers at the same time leave no run without its turn", async (t) => {
  const server = await postgres();
  // Registered first, so that the pool ends before its server.
  t.after(() => server.stop());
  const runs = many(12, (n) => ({ org: `org${n % 3}`, host: `h${n % 2}.test`, repo: `r${n}` }));
  const { service, sql, database } = await queue(t, { postgres: server.url }, runs);
  const params = (/** @type {object} */ keys) => [JSON.stringify(keys)];
  const statement = (/** @type {string} */ name) =>
    readFileSync(join(root, "src/service/store/sql", `${name}.sql`), "utf8");
  const any = (/** @type {number} */ count) => Math.floor(Math.random() * count);
  let queued = 0;
  const caller = async () => {
    for (let n = 0; n < 150; n += 1) {
      const repo = `r${any(12)}`;
      const kind = any(10);
      if (kind < 6) {
        const keys = { repo_id: repo, direction: "pull", branches: `b${any(3)}`, tags: "" };
        const { rows } = await database.query(statement("queue_enqueue"), params(keys));
        queued += rows.length;
      } else if (kind < 7) {
        const keys = { lease: `l${Math.random()}`, lease_seconds: 30, max_runs: null, max_runs_of_org: null };
        const more = { only_origins: false, max_attempts: 10, is_last_lane: false };
        const claimed = await database.query(statement("queue_claim"), params({ ...keys, ...more })).catch((error) => {
          assert.equal(error.code, "23505", error.message);
          return { rows: [] };
        });
        if (!claimed.rows[0]) continue;
        const { run } = JSON.parse(String(claimed.rows[0].row));
        const held = { sync_id: run.id, lease: keys.lease };
        if (any(2) === 0) await database.query(statement("queue_hand_back"), params(held));
        else {
          const failure = { error: "no", is_transient: true, max_attempts: 3, backoff_seconds: 0.05 };
          await database.query(statement("queue_fail"), params({ ...held, ...failure }));
        }
      } else if (kind < 8) {
        const [run] = await sql("SELECT id FROM refsync.syncs WHERE repo_id = $1 AND status = 'queued' LIMIT 1", [
          repo,
        ]);
        if (run) await database.query(statement("queue_cancel"), params({ repo_id: repo, sync_id: run.id }));
      } else if (kind < 9) {
        await sql("UPDATE refsync.repos SET upstream_url = $2 WHERE id = $1", [repo, `https://h${any(2)}.test/r.git`]);
      } else {
        await sql("UPDATE refsync.syncs SET lease_expires_at = now() WHERE repo_id = $1 AND status = 'in_progress'", [
          repo,
        ]);
      }
    }
  };
  let isOver = false;
  const worker = async () => {
    while (!isOver) if (!(await service.tick())) await delay(1);
  };
  const workers = Promise.all([worker(), worker(), worker()]);
  await Promise.all([caller(), caller(), caller(), caller()]);
  isOver = true;
  await workers;
  assert.ok(queued > 200, `${queued} runs`);
  await eventually(async () => {
    while (await service.tick());
    const [{ open }] = await sql(
      "SELECT count(*)::int AS open FROM refsync.syncs WHERE status IN ('queued', 'in_progress')",
    );
    return open === 0;
  });
  assert.deepEqual(await sql("SELECT * FROM refsync.turns"), []);
});
