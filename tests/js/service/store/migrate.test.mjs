// Updates the schema while another process does the same.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import pg from "pg";
import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { postgres } from "../../../support/service/postgres.mjs";

// `ADVISORY_LOCK` of `src/service/store/migrate.rs`.
const LOCK = 7_337_962;

test("a process that waits for another one's migration sees what that one has made", async (t) => {
  const database = await postgres();
  const first = new pg.Client({ connectionString: database.url });
  const second = new pg.Client({ connectionString: database.url });
  await Promise.all([first.connect(), second.connect()]);
  t.after(async () => {
    await Promise.all([first.end(), second.end()]);
    await database.stop();
  });
  /** @param {pg.Client} client */
  const service = (client) =>
    new Service({
      database: client,
      git: gitHttpBackend({ root: tmpdir() }),
      fetch: globalThis.fetch,
      secretKey: new Uint8Array(32),
    });

  // The second session's cache says that the schema does not exist.
  await second.query("SELECT to_regclass('refsync.schema_migrations')");
  await first.query("BEGIN");
  await first.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
  let ended = false;
  const waiting = service(second)
    .migrate()
    .finally(() => {
      ended = true;
    });
  waiting.catch(() => {});
  await delay(300);
  assert.equal(ended, false, "the second process waits for the lock");
  await service(first).migrate();
  await first.query("COMMIT");
  await waiting;
  const { rows } = await first.query("SELECT count(*)::int AS times FROM refsync.schema_migrations GROUP BY version");
  assert.ok(rows.length > 5 && rows.every(({ times }) => times === 1));
});
