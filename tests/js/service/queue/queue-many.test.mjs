// Several processes on one PostgreSQL, as an operator starts them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import pg from "pg";

import { startCluster } from "../../../soak/cluster.mjs";
import { listen } from "../../../support/network/listen.mjs";
import { present } from "../../../support/present.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { eventually } from "../support.mjs";

test("processes that start at once migrate once, hear of each other's runs, and outlive the database's restart", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "refsync-many-"));
  const database = await postgres();
  const upstream = createServer((_request, response) => response.writeHead(404).end());
  const port = await listen(upstream);
  const cluster = await startCluster({ data: join(folder, "data"), database: database.url });
  t.after(async () => {
    await cluster.stop();
    upstream.close();
    await database.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  /** @param {string} text */
  const sql = async (text) => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(text);
    await client.end();
    return rows;
  };
  const versions = await sql("SELECT version, count(*)::int AS times FROM refsync.schema_migrations GROUP BY 1");
  assert.ok(versions.length > 5 && versions.every(({ times }) => times === 1));
  const listening = () =>
    sql("SELECT count(*)::int AS count FROM pg_stat_activity WHERE query = 'LISTEN refsync'").then(
      ([row]) => row.count,
    );
  await eventually(async () => (await listening()) === 3);

  const url = `http://127.0.0.1:${port}/x.git`;
  /** @param {string} prefix */
  const waits = async (prefix) => {
    const runs = [];
    for (let n = 0; n < 10; n += 1) {
      const name = `${prefix}${n}`;
      await cluster.call("POST", "/default/repos", { name, upstream: { url } });
      const { id } = await cluster.call("POST", `/default/${name}/upstream/syncs`, { direction: "pull" });
      const run = () => cluster.call("GET", `/default/${name}/upstream/syncs/${id}`);
      await eventually(async () => (await run()).status === "failed");
      const { created_at, started_at } = await run();
      runs.push(Date.parse(started_at) - Date.parse(created_at));
    }
    return present(runs.sort((a, b) => a - b)[5]);
  };
  const before = await waits("before");
  assert.ok(before < 1_000, `woken, not found by the poll of two seconds: ${before} ms`);

  await database.halt();
  await delay(500);
  await database.start();
  // A server that reports the restart is running again, and its listeners are connected again.
  await eventually(async () => (await listening()) === 3);
  const after = await waits("after");
  assert.ok(after < 1_000, `woken again: ${after} ms`);
  for (const { pid } of cluster.members) assert.ok(process.kill(present(pid), 0), "nobody has ended");
});
