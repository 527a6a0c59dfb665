// Measures the other statements: schedules, webhook deliveries, metrics, lists, and the bytes that a run takes.
import { performance } from "node:perf_hooks";

import { median } from "../measure.mjs";
import { instantService } from "./data.mjs";
import { deliveryKeys, run } from "./statements.mjs";

/**
 * @import { Pool } from "pg"
 * @import { Database } from "refsync/service"
 */

/**
 * How many schedules one process takes up in a second, if this many are due. Its only lane also does runs.
 *
 * @param {Pool} pool
 * @param {Database} database the same database, as the service uses it
 * @param {{ due: number, seconds: number }} options
 */
export async function scheduleRate(pool, database, { due, seconds }) {
  await makeDue(pool, due);
  const service = instantService(database);
  const left = async () => {
    const { rows } = await pool.query("SELECT count(*)::int AS due FROM refsync.repos WHERE schedule_at <= now()");
    return rows[0].due;
  };
  const from = performance.now();
  while (performance.now() < from + seconds * 1000 && (await left()) > 0) await service.tick();
  const taken = due - (await left());
  const rate = taken / ((performance.now() - from) / 1000);
  await pool.query("UPDATE refsync.repos SET schedule = NULL, schedule_at = NULL WHERE schedule IS NOT NULL");
  return rate;
}

/**
 * Ends all open runs, and gives the first repositories a schedule that is due.
 *
 * @param {Pool} pool
 * @param {number} due
 */
export async function makeDue(pool, due) {
  const schedule = { every: "5m", direction: "pull", ref_globs: { branches: "*", tags: "*" } };
  await pool.query("DELETE FROM refsync.syncs WHERE status IN ('queued', 'in_progress')");
  await pool.query(
    `UPDATE refsync.repos SET schedule = $1::text::jsonb, schedule_at = now() - interval '1 second'
     WHERE seq IN (SELECT seq FROM refsync.repos ORDER BY seq LIMIT $2)`,
    [JSON.stringify(schedule), due],
  );
  await pool.query("VACUUM (ANALYZE) refsync.repos");
}

/**
 * Fills the outbox of one target. Another target, of another organisation, has `others` deliveries.
 *
 * @param {Pool} pool
 * @param {{ count: number, others: number, subjects: number }} options
 */
export async function outbox(pool, { count, others, subjects }) {
  await pool.query("DELETE FROM refsync.webhook_targets");
  await pool.query(
    `INSERT INTO refsync.webhook_targets (id, org_id, url, events, secret)
     SELECT 'whk_' || o.slug, o.id, 'https://receiver.example.com/', '[]', 'sealed' FROM refsync.organizations o WHERE o.slug IN ('org1', 'org2')`,
  );
  const add = `INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope)
    SELECT $1, 'subject' || n % $3::int, '{"id": "evt_1", "type": "repo.updated", "repository": {"url": "/a/b.git"}, "data": {}}'
    FROM generate_series(1, $2::int) n`;
  await pool.query(add, ["whk_org1", count, subjects]);
  await pool.query(add, ["whk_org2", others, others]);
  await pool.query("VACUUM (ANALYZE) refsync.webhook_deliveries");
}

/**
 * The median milliseconds of a statement.
 *
 * @param {Pool} pool
 * @param {string} name
 * @param {(() => object) | undefined} keys
 * @param {number} [count]
 */
export async function statementTime(pool, name, keys, count = 50) {
  const client = await pool.connect();
  try {
    const times = [];
    for (let n = 0; n < count + 10; n += 1) {
      const from = performance.now();
      await run(client, name, keys?.());
      if (n >= 10) times.push(performance.now() - from);
    }
    return median(times);
  } finally {
    client.release();
  }
}

/**
 * The median milliseconds of a webhook claim. The claimed deliveries stay in progress, so the targets are full soon.
 *
 * @param {Pool} pool
 */
export const deliveryTime = (pool) => statementTime(pool, "webhook_claim", deliveryKeys);

/**
 * The bytes that a run without a change takes in the tables and their indexes: `count` runs are queued and done, some at a time. Between
 * these, the tables are cleaned up as autovacuum does.
 *
 * @param {Pool} pool
 * @param {Database} database the same database, as the service uses it
 * @param {number} count a multiple of 25
 */
export async function bytesOfRun(pool, database, count) {
  await pool.query("DELETE FROM refsync.syncs WHERE status IN ('queued', 'in_progress')");
  const tables = ["syncs", "run_stats", "sync_events"];
  const size = async () => {
    for (const table of tables) await pool.query(`VACUUM (INDEX_CLEANUP ON) refsync.${table}`);
    const { rows } = await pool.query(
      "SELECT sum(pg_total_relation_size(format('refsync.%s', name)::regclass))::float8 AS bytes FROM unnest($1::text[]) name",
      [tables],
    );
    return rows[0].bytes;
  };
  const atOnce = count / STEPS;
  const service = instantService(database);
  const lane = async () => {
    while (await service.tick());
  };
  const some = async (/** @type {number} */ first) => {
    await pool.query(
      `INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
       SELECT id, 'pull', '*', '*' FROM refsync.repos ORDER BY seq OFFSET $1::int LIMIT $2::int`,
      [first, atOnce],
    );
    await Promise.all([lane(), lane(), lane(), lane()]);
    return await size();
  };
  // The first runs take the space that the deleted ones left.
  const before = await some(0);
  let after = before;
  for (let done = atOnce; done <= count; done += atOnce) after = await some(done);
  return (after - before) / count;
}

/** So often runs are queued. */
const STEPS = 25;
