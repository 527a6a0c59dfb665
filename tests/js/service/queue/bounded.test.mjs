// The statements of `npm run bench:queue` with a part of its data. What they read is counted, not how long they take: a
// claim must not read more if more is queued.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { backlog, instantService, makeData } from "../../../../benches/queue/data.mjs";
import { outbox } from "../../../../benches/queue/others.mjs";
import { buffers, claimKeys, deliveryKeys } from "../../../../benches/queue/statements.mjs";
import { openPool } from "../../../support/service/pool.mjs";
import { postgres } from "../../../support/service/postgres.mjs";

/** @type {import("../../../support/service/postgres.mjs").Postgres} */
let server;
/** @type {import("pg").Pool} */
let pool;

before(async () => {
  // While autovacuum reads a table, PostgreSQL keeps the rows that were removed meanwhile, and a claim steps over them.
  server = await postgres({ autovacuum: "off" });
  pool = openPool(server.url);
  await instantService(pool).migrate();
  await makeData(pool, { repositories: 10_000, finished: 100_000, organizations: 50, hosts: 7 });
});

after(async () => {
  await pool.end();
  await server.stop();
});

test("a claim reads no more if ten times as many runs are queued", async () => {
  // As many lines as later.
  await backlog(pool, 1_000);
  const few = await buffers(pool, "queue_claim", claimKeys());
  await backlog(pool, 10_000);
  const many = await buffers(pool, "queue_claim", claimKeys());
  assert.ok(many < 1.5 * few && many < 600, `${few} buffers at 1,000 queued runs, ${many} at 10,000`);
});

test("a claim reads no more if all runs are of one organisation and host, or wait, or are of one repository", async () => {
  await backlog(pool, 10_000);
  await pool.query("UPDATE refsync.repos SET upstream_url = 'https://one.example.com/r.git'");
  await pool.query("UPDATE refsync.syncs SET attempt = 2, run_after = now() + interval '1 h' WHERE status = 'queued'");
  await pool.query("VACUUM (ANALYZE) refsync.turns");
  const waiting = await buffers(pool, "queue_claim", claimKeys());
  assert.ok(waiting < 600, `${waiting} buffers if all wait`);
  await backlog(pool, 1);
  await pool.query(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags)
     SELECT (SELECT repo_id FROM refsync.turns), 'pull', 'b' || n, '*' FROM generate_series(1, 10000) n`,
  );
  await pool.query("VACUUM (ANALYZE) refsync.turns");
  const one = await buffers(pool, "queue_claim", claimKeys());
  assert.ok(one < 600, `${one} buffers for one repository`);
});

test("the claim of a delivery reads no more if a target has many, of one sync or of many", async () => {
  for (const subjects of [1, 10_000]) {
    await outbox(pool, { count: 10_000, others: 50, subjects });
    const read = await buffers(pool, "webhook_claim", deliveryKeys());
    assert.ok(read < 300, `${read} buffers with ${subjects} syncs`);
  }
});

test("a list by a tag that nothing has does not read every repository", async () => {
  const { rows } = await pool.query("SELECT id FROM refsync.organizations ORDER BY slug LIMIT 1");
  await pool.query("UPDATE refsync.repos SET org_id = $1", [rows[0].id]);
  await pool.query("VACUUM (ANALYZE) refsync.repos");
  const keys = { org_id: rows[0].id, after: null, limit: 50, max_bytes: 1_000_000 };
  for (const team of ["none", "team1"]) {
    const read = await buffers(pool, "repo_list", { ...keys, tags: { team } });
    // The walk through 10,000 repositories read more than 10,000.
    assert.ok(read < 4_000, `${read} buffers for ${team}`);
  }
});
