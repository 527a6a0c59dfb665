// The SQL functions that build the shapes of the API. `migrate` replaces them if the database has those of another version.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { PGlite } from "@electric-sql/pglite";
import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { openPool } from "../../../support/service/pool.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { onBoth } from "../databases.mjs";
import { start } from "../support.mjs";

/** @import { Database } from "refsync/service" */

/** @param {Database} database */
const serviceOn = (database) =>
  new Service({
    database,
    git: gitHttpBackend({ root: tmpdir() }),
    fetch: globalThis.fetch,
    secretKey: new Uint8Array(32),
  });

/**
 * Every function of the schema with its text.
 *
 * @param {Database} database
 */
async function functionsOf(database) {
  const { rows } = await database.query(
    `SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p
     WHERE p.pronamespace = 'refsync'::regnamespace ORDER BY p.oid::regprocedure::text`,
  );
  return rows.map(({ text }) => String(text));
}

const SPOILT = `CREATE OR REPLACE FUNCTION refsync.webhook_target(t refsync.webhook_targets) RETURNS jsonb
  LANGUAGE sql STABLE AS $fn$ SELECT '{"spoilt": true}'::jsonb $fn$`;

onBoth("views of another version are replaced", async (t, where) => {
  const { database, service } = await start(t, where);
  const expected = await functionsOf(database);
  await database.query(SPOILT);
  await database.query("UPDATE refsync.service SET views_fingerprint = 'of other views'");
  await service.migrate();
  assert.deepEqual(await functionsOf(database), expected);
  await database.query(SPOILT);
  await database.query("UPDATE refsync.service SET views_version = 0");
  await service.migrate();
  assert.deepEqual(await functionsOf(database), expected);
});

onBoth("views of a newer version stay, and those of this one are not written again", async (t, where) => {
  const { database, service } = await start(t, where);
  await database.query(SPOILT);
  const spoilt = await functionsOf(database);
  await service.migrate();
  assert.deepEqual(await functionsOf(database), spoilt, "the fingerprint is this version's");
  await database.query("UPDATE refsync.service SET views_version = 1000, views_fingerprint = 'of tomorrow'");
  await service.migrate();
  assert.deepEqual(await functionsOf(database), spoilt, "the views are of a newer version");
});

test("a database of schema 10 gets the same functions as a new one", async () => {
  const [fresh, old] = [new PGlite(), new PGlite()];
  try {
    await serviceOn(fresh).migrate();
    await serviceOn(old).migrateTo(10);
    const before = await functionsOf(old);
    assert.ok(
      before.some((text) => text.includes("repo_without_origin")),
      "schema 10 has a function that goes",
    );
    await serviceOn(old).migrate();
    assert.deepEqual(await functionsOf(old), await functionsOf(fresh));
  } finally {
    await Promise.all([fresh.close(), old.close()]);
  }
});

test("processes that replace the views at the same time do not disturb each other", async (t) => {
  const server = await postgres();
  const pools = Array.from({ length: 6 }, () => openPool(server.url, { max: 1 }));
  t.after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.stop();
  });
  const [first] = pools;
  assert.ok(first);
  await Promise.all(pools.map((pool) => serviceOn(pool).migrate()));
  const expected = await functionsOf(first);
  for (let round = 0; round < 5; round += 1) {
    await first.query("UPDATE refsync.service SET views_fingerprint = 'of other views'");
    await Promise.all(pools.map((pool) => serviceOn(pool).migrate()));
    assert.deepEqual(await functionsOf(first), expected);
  }
});
