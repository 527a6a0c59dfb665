import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { deliverAll, receive } from "../receiver.mjs";
import { start } from "../support.mjs";

/** @import { SyncRun } from "refsync" */

test("a statement that fails leaves neither the state nor its event", async (t) => {
  const { call, ok, sql, service } = await start(t);
  const receiver = await receive(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  await ok("POST", "/acme/webhook-targets", {
    url: receiver.url,
    events: ["sync.queued", "sync.failed", "repo.deleted"],
  });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await deliverAll(service);
  // The outbox refuses rows from now on, as a full disk would.
  await sql("ALTER TABLE refsync.webhook_deliveries ADD CONSTRAINT full_disk CHECK (attempts < 0) NOT VALID");
  assert.equal((await call("POST", `/acme/app/upstream/syncs/${id}/cancel`))[0], 500);
  assert.equal((await call("POST", "/acme/app/upstream/syncs", { direction: "push" }))[0], 500);
  assert.equal((await call("DELETE", "/acme/app"))[0], 500);
  await sql("ALTER TABLE refsync.webhook_deliveries DROP CONSTRAINT full_disk");
  const { syncs } = await ok("GET", "/acme/app/upstream/syncs");
  assert.deepEqual(
    syncs.map((/** @type {SyncRun} */ run) => [run.id, run.status]),
    [[id, "queued"]],
    "no run was cancelled or made without its event",
  );
  assert.equal(await deliverAll(service), 0, "and no event is told of what is not");
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  await deliverAll(service);
  assert.deepEqual(receiver.types(), ["sync.queued", "sync.failed"]);
});

test("a delivery whose worker died is sent again under the same id once its lease is over", async (t) => {
  const { ok, sql, service } = await start(t);
  const receiver = await receive(t);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  await ok("POST", "/acme/repos", {});
  await sql(
    "UPDATE refsync.webhook_deliveries SET attempts = 1, lease = 'dead', lease_expires_at = now() + interval '1 h'",
  );
  assert.equal(await service.deliver(), false, "its lease holds");
  await sql("UPDATE refsync.webhook_deliveries SET lease_expires_at = now()");
  const [{ id }] = await sql("SELECT envelope ->> 'id' AS id FROM refsync.webhook_deliveries");
  assert.equal(await deliverAll(service), 1);
  assert.equal(present(receiver.deliveries[0]).event.id, id);
});
