// The data of the queue's benchmark: organisations, repositories, and runs that have ended, made by SQL.
import { tmpdir } from "node:os";

import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

/**
 * @import { Pool } from "pg"
 * @import { Database, ServiceOptions } from "refsync/service"
 *
 * @typedef {{ repositories: number, finished: number, organizations: number, hosts: number }} Size
 */

/** The size that the measures are for. */
export const FULL = { repositories: 100_000, finished: 4_000_000, organizations: 50, hosts: 7 };

/**
 * A part of the full size. The number of organisations stays.
 *
 * @param {number} scale
 * @returns {Size}
 */
export function scaled(scale) {
  const part = (/** @type {number} */ count) => Math.max(1, Math.round(count * scale));
  return { ...FULL, repositories: part(FULL.repositories), finished: part(FULL.finished) };
}

/**
 * A service on this database, whose runs end at once without a change.
 *
 * @param {Database} database
 * @param {Partial<ServiceOptions>} [options]
 */
export function instantService(database, options = {}) {
  return new Service({
    database,
    git: gitHttpBackend({ root: tmpdir() }),
    fetch: globalThis.fetch,
    secretKey: new Uint8Array(32).fill(7),
    engine: { sync: async () => NOTHING_NEW, findRef: async () => undefined },
    ...options,
  });
}

/**
 * Makes the organisations, the repositories and the runs that have ended. The schema exists already, and is empty.
 *
 * @param {Pool} pool
 * @param {Size} size
 */
export async function makeData(pool, { repositories, finished, organizations, hosts }) {
  await pool.query(
    `INSERT INTO refsync.organizations (slug, name) SELECT 'org' || n, 'Organisation ' || n FROM generate_series(1, $1::int) n`,
    [organizations],
  );
  await pool.query(
    `INSERT INTO refsync.repos (id, org_id, name, default_bookmark, upstream_url, origin_url, tags)
     SELECT refsync.new_id('repo'), o.ids[1 + n % $2::int], 'r' || n, 'main', format('https://host%s.example.com/r%s.git', n % $3::int, n),
       'https://origin.example.com/r.git', jsonb_build_object('team', 'team' || n % 100)
     FROM generate_series(1, $1::int) n, (SELECT array_agg(id ORDER BY slug) AS ids FROM refsync.organizations) o`,
    [repositories, organizations, hosts],
  );
  await addEnded(pool, { count: finished, perSecond: 333, daysAgo: 0 });
  await pool.query("VACUUM (ANALYZE)");
}

/**
 * Adds runs that ended without a change: those of a repository have the same stats. The last one ended a minute before this many days ago.
 *
 * @param {Pool} pool
 * @param {{ count: number, perSecond: number, daysAgo: number }} runs
 */
export async function addEnded(pool, { count, perSecond, daysAgo }) {
  const { rows } = await pool.query(
    `WITH added AS (
       INSERT INTO refsync.run_stats (bytes, stats) SELECT $1::int, $2::text::jsonb FROM refsync.repos RETURNING id
     )
     SELECT min(id) AS first FROM added`,
    [STATS.length, STATS],
  );
  const firstStats = rows[0].first;
  await withoutTriggers(pool, async (query) => {
    for (let from = 0; from < count; from += BATCH) {
      await query(
        `INSERT INTO refsync.syncs (id, repo_id, direction, branches, tags, status, stats_id, unchanged, stats_bytes,
           created_at, run_after, started_at, finished_at)
         SELECT 'sync_' || lpad(to_hex((extract(epoch FROM at.moment) * 1000)::bigint), 12, '0') || right(md5(n::text), 16),
           r.id, 'pull', '*', '*', 'completed', $4::bigint + r.place, 1, $5::int,
           at.moment, at.moment, at.moment + interval '1 second', at.moment + interval '2 seconds'
         FROM generate_series($1::int, $2::int) n
         JOIN (
           SELECT id, row_number() OVER (ORDER BY seq) - 1 AS place FROM refsync.repos) r
           ON r.place = n % (SELECT count(*) FROM refsync.repos)
         CROSS JOIN LATERAL (SELECT now() - make_interval(secs => ($3::int - n) / $6::float8 + 60 + $7::float8 * 86400) AS moment) at
         ORDER BY n`,
        [from, Math.min(from + BATCH, count) - 1, count, firstStats, STATS.length, perSecond, daysAgo],
      );
    }
  });
}

/**
 * Ends all open runs, and queues one run for each of this many repositories.
 *
 * @param {Pool} pool
 * @param {number} count
 */
export async function backlog(pool, count) {
  await pool.query("DELETE FROM refsync.syncs WHERE status IN ('queued', 'in_progress')");
  await pool.query(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
     SELECT id, 'pull', '*', '*' FROM refsync.repos ORDER BY seq LIMIT $1`,
    [count],
  );
  // As autovacuum does after so many changes.
  await pool.query("VACUUM (ANALYZE)");
}

/**
 * Calls `body` with a connection on which no trigger fires.
 *
 * @param {Pool} pool
 * @param {(query: (text: string, values?: unknown[]) => Promise<unknown>) => Promise<void>} body
 */
export async function withoutTriggers(pool, body) {
  const client = await pool.connect();
  try {
    await client.query("SET session_replication_role = replica");
    await body((text, values) => client.query(text, values));
    await client.query("RESET session_replication_role");
  } finally {
    client.release();
  }
}

const BATCH = 100_000;
const STATS = JSON.stringify({
  refs: [
    {
      name: "refs/heads/main",
      before: "1".repeat(40),
      after: "1".repeat(40),
      outcome: "unchanged",
      reason: null,
      message: null,
    },
  ],
});
const NOTHING_NEW = JSON.stringify({ stats: JSON.parse(STATS), head: null });
