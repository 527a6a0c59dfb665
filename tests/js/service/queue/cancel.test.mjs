import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { running, start } from "../support.mjs";

const url = "http://127.0.0.1:9/nowhere.git";

test("a cancelled run that is queued ends at once, and is not run", async (t) => {
  const { ok, service } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const run = await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  assert.deepEqual([run.id, run.status, run.error, run.stats, run.attempt], [id, "failed", "cancelled", null, 1]);
  assert.ok(run.finished_at);
  assert.equal(await service.tick(), false);
  assert.notEqual((await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" })).id, id, "it is not joined");
});

test("a cancelled run in progress is stopped by its worker, and its requests are aborted", async (t) => {
  const { ok, held, id, tick } = await running(t);
  const asked = await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  assert.equal(asked.status, "in_progress", "its worker still has it");
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  const aborted = new Promise((resolve) => present(held[0]).request.socket.once("close", resolve));
  assert.equal(await tick, true);
  await aborted;
  const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([run.status, run.error], ["failed", "cancelled"]);
});

test("a cancelled run whose worker died is not taken up, but ended", async (t) => {
  const { ok, service, sql } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await sql(
    "UPDATE refsync.syncs SET status = 'in_progress', lease = 'dead', lease_expires_at = now() + interval '1 h', started_at = now()",
  );
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  assert.equal(await service.tick(), false);
  await sql("UPDATE refsync.syncs SET lease_expires_at = now()");
  assert.equal(await service.tick(), false, "nothing was run");
  const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([run.status, run.error, run.attempt], ["failed", "cancelled", 1]);
});

test("a terminal run cannot be cancelled, an unknown one is not found, and a key that may only read is refused", async (t) => {
  const { call, ok, service, keys } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  await ok("POST", "/acme/repos", { name: "other" });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const path = `/acme/app/upstream/syncs/${id}/cancel`;
  assert.equal((await call("POST", path, undefined, { key: keys.read }))[0], 403);
  await ok("POST", path, undefined, { key: keys.write });
  const [status, body] = await call("POST", path);
  assert.deepEqual([status, body.error.code], [409, "CONFLICT"]);
  assert.match(body.error.message, /has failed already/);
  assert.equal((await call("POST", `/acme/other/upstream/syncs/${id}/cancel`))[0], 404, "another repository's run");
  assert.equal((await call("POST", "/acme/app/upstream/syncs/sync_1/cancel"))[0], 404);
  assert.equal((await call("GET", path))[0], 404);
  assert.equal(await service.tick(), false);
});
