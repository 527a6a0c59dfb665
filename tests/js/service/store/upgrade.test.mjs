// An older database with many rows is brought up to date while it is served.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { PGlite } from "@electric-sql/pglite";
import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { openPool } from "../../../support/service/pool.mjs";
import { postgres } from "../../../support/service/postgres.mjs";

/** @param {import("refsync/service").Database} database */
const serviceOn = (database) =>
  new Service({
    database,
    git: gitHttpBackend({ root: tmpdir() }),
    fetch: globalThis.fetch,
    secretKey: new Uint8Array(32),
  });

/**
 * Fills a database of schema 18: runs that have ended, queued runs and deliveries.
 *
 * @param {import("refsync/service").Database} database
 * @param {{ ended: number, queued: number, deliveries: number }} counts
 */
async function fill(database, { ended, queued, deliveries }) {
  await database.query("INSERT INTO refsync.organizations (id, slug, name) VALUES ('org_1', 'acme', 'Acme')");
  await database.query(
    `INSERT INTO refsync.repos (id, org_id, name, default_bookmark, upstream_url)
     SELECT 'r' || n, 'org_1', 'r' || n, 'main', 'https://h' || n % 3 || '.test/r.git' FROM generate_series(1, ${queued}) n`,
  );
  await database.query(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags, status, finished_at)
     SELECT 'r' || 1 + n % ${queued}, 'pull', '*', '*', 'completed', now() FROM generate_series(1, ${ended}) n`,
  );
  await database.query(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags, attempt, run_after)
     SELECT 'r' || n, 'pull', '*', '*', 1 + n % 2, now() + n % 2 * interval '1 h' FROM generate_series(1, ${queued}) n`,
  );
  await database.query(
    "INSERT INTO refsync.webhook_targets (id, org_id, url, events, secret) VALUES ('t', 'org_1', 'https://t.test/', '[]', 's')",
  );
  await database.query(
    `INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope)
     SELECT 't', 's' || n % 1000, '{}' FROM generate_series(1, ${deliveries}) n`,
  );
}

/**
 * Every queued run has its turn, and every subject its first delivery.
 *
 * @param {import("refsync/service").Database} database
 * @param {{ queued: number, subjects: number }} counts
 */
async function isComplete(database, { queued, subjects }) {
  const { rows } = await database.query(
    `SELECT (SELECT count(*) FROM refsync.turns t JOIN refsync.syncs s ON s.id = t.sync_id AND s.status = 'queued')::int AS turns,
       (SELECT count(*) FROM refsync.turns WHERE state = 1)::int AS waiting,
       (SELECT count(*) FROM refsync.webhook_deliveries d WHERE d.is_first)::int AS first,
       (SELECT count(*) FROM pg_index i WHERE NOT i.indisvalid)::int AS broken`,
  );
  assert.deepEqual(rows, [{ turns: queued, waiting: queued / 2, first: subjects, broken: 0 }]);
}

test("an old database in a folder gets the turns of its queued runs and the first deliveries", async () => {
  const database = new PGlite();
  try {
    await serviceOn(database).migrateTo(18);
    await fill(database, { ended: 100, queued: 1200, deliveries: 2500 });
    await serviceOn(database).migrateTo(25);
    await isComplete(database, { queued: 1200, subjects: 1000 });
  } finally {
    await database.close();
  }
});

test("writers wait less than a second while a large database is brought up to date", async (t) => {
  const server = await postgres();
  const pool = openPool(server.url);
  t.after(async () => {
    await pool.end();
    await server.stop();
  });
  await serviceOn(pool).migrateTo(18);
  const counts = { ended: 300_000, queued: 20_000, deliveries: 50_000 };
  await fill(pool, counts);
  const waits = [0];
  let isOver = false;
  // What a process of the older version does meanwhile: it adds and ends runs, and removes deliveries.
  const writer = async () => {
    for (let n = 1; !isOver; n += 1) {
      const from = performance.now();
      await pool.query(
        "INSERT INTO refsync.syncs (repo_id, direction, branches, tags) VALUES ('r' || 1 + $1 % 20000, 'pull', 'x', '')",
        [n],
      );
      await pool.query(
        "UPDATE refsync.syncs SET status = 'failed' WHERE repo_id = 'r' || 1 + $1 % 20000 AND branches = 'x'",
        [n],
      );
      await pool.query("UPDATE refsync.repos SET upstream_behind = $1 WHERE id = 'r1'", [n]);
      await pool.query(
        "DELETE FROM refsync.webhook_deliveries WHERE seq = (SELECT min(seq) FROM refsync.webhook_deliveries WHERE subject = 's0')",
      );
      await pool.query(
        "INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope) VALUES ('t', 's0', '{}')",
      );
      waits.push(performance.now() - from);
    }
  };
  const writers = writer();
  await serviceOn(pool).migrateTo(25);
  isOver = true;
  await writers;
  assert.ok(waits.length > 10, `${waits.length} rounds of writes`);
  assert.ok(Math.max(...waits) < 1_000, `the slowest five writes took ${Math.round(Math.max(...waits))} ms`);
  await isComplete(pool, { queued: 20_000, subjects: 1000 });
});
