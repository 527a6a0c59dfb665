import assert from "node:assert/strict";
import { test } from "node:test";

import { gitHttpBackend, guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { eventually, running } from "../support.mjs";

test("a service that stops hands its run back, and another one takes it at once as the next attempt", async (t) => {
  const { held, id, tick, ...s } = await running(t);
  const waiting = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  assert.notEqual(waiting.id, id, "an identical request waits beside it");
  const aborted = new Promise((resolve) => present(held[0]).request.socket.once("close", resolve));
  await s.service.stop();
  assert.equal(await tick, true);
  await aborted;
  const run = () => s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  const { status, attempt, started_at } = await run();
  assert.deepEqual([status, attempt, started_at], ["queued", 2, null]);
  assert.equal(await s.service.tick(), false, "it claims nothing more");
  assert.equal(await s.service.deliver(), false);

  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  const git = gitHttpBackend({ root: `${s.folder}/repositories` });
  const log = () => {};
  const other = new Service({ database: s.database, git, fetch, secretKey: new Uint8Array(32).fill(7), log });
  const second = other.tick();
  await eventually(() => held.length === 2);
  present(held[1]).response.writeHead(404).end();
  await second;
  await fetch.close();
  assert.deepEqual([(await run()).status, (await run()).attempt], ["failed", 2]);
});

test("a cancelled run that is handed back ends", async (t) => {
  const { id, tick, ...s } = await running(t);
  await s.ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  await s.service.stop();
  await tick;
  const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([run.status, run.error, run.attempt], ["failed", "cancelled", 1]);
});
