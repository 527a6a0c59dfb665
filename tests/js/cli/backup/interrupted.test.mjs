// Backups and restores that fail or are killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { postgres } from "../../../support/service/postgres.mjs";
import { bin, folder, refsync } from "../support.mjs";
import { backedUp } from "./filled.mjs";

test("a backup that is killed is not taken for a whole one", async (t) => {
  const { data } = await backedUp(t);
  const place = join(folder(t), "killed");
  const child = spawn(process.execPath, [bin, "backup", place, "--data", data], { stdio: "ignore" });
  while (!existsSync(join(place, "repositories.jsonl"))) await delay(2);
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(existsSync(join(place, "backup.json")), false, "it was killed before its end");
  for (const flags of [["--check"], ["--data", join(folder(t), "data")]]) {
    const { status, stderr } = await refsync(["restore", place, ...flags]);
    assert.equal(status, 1);
    assert.match(stderr, /is not a backup, or one that was not finished/);
  }
  assert.match(
    (await refsync(["backup", place, "--data", data])).stderr,
    /holds a backup that was not finished; delete that folder/,
  );
  assert.equal(
    (await refsync(["backup", join(folder(t), "again"), "--data", data])).status,
    0,
    "nothing keeps the data folder",
  );
});

test("a restore that fails leaves nothing behind, on either database", async (t) => {
  const { backup } = await backedUp(t);
  // Format 1 has no hashes. So the bad row is found only when it is written, long after the first rows.
  const rows = readFileSync(join(backup, "database.jsonl"), "utf8").replace(
    '"status":"completed"',
    '"status":"nonsense"',
  );
  writeFileSync(join(backup, "database.jsonl"), rows);
  const { schema } = JSON.parse(readFileSync(join(backup, "backup.json"), "utf8"));
  writeFileSync(join(backup, "backup.json"), JSON.stringify({ format: 1, schema, created_at: "2026-01-01T00:00:00Z" }));
  const place = folder(t);
  const data = join(place, "data");
  const embedded = await refsync(["restore", backup, "--data", data]);
  assert.equal(embedded.status, 1);
  assert.match(embedded.stderr, /syncs_status_check/);
  assert.deepEqual(readdirSync(place), []);
  const server = await postgres();
  t.after(() => server.stop());
  const env = { REFSYNC_DATABASE_URL: server.url };
  const shared = await refsync(["restore", backup, "--data", data], env);
  assert.equal(shared.status, 1);
  assert.match(shared.stderr, /syncs_status_check/);
  assert.deepEqual(readdirSync(place), []);
  assert.doesNotMatch(await server.dump("--schema-only"), /refsync/, "the schema goes with the rows");
  // The next attempt uses the same database and folder.
  writeFileSync(join(backup, "database.jsonl"), rows.replace('"status":"nonsense"', '"status":"completed"'));
  assert.equal((await refsync(["restore", backup, "--data", data], env)).status, 0);
});

test("a restore that is killed is never served, and says what to delete", async (t) => {
  const { backup } = await backedUp(t);
  const data = join(folder(t), "data");
  const child = spawn(process.execPath, [bin, "restore", backup, "--data", data], { stdio: "ignore" });
  while (!existsSync(join(data, "database"))) await delay(5);
  child.kill("SIGKILL");
  await once(child, "close");
  const served = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(served.status, 1);
  assert.match(served.stderr, new RegExp(`${data}: a restore into this data folder did not finish. Delete the folder`));
  const again = await refsync(["restore", backup, "--data", data]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /holds a restore that did not finish; delete that folder, and restore again/);
  rmSync(data, { recursive: true });
  assert.equal((await refsync(["restore", backup, "--data", data])).status, 0);
});
