// Receivers that do not answer. They do not delay other webhooks, and get deliveries less and less often.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { work } from "refsync/node";

import { listen } from "../../../support/network/listen.mjs";
import { present } from "../../../support/present.mjs";
import { onBoth } from "../databases.mjs";
import { deliverAll, receive } from "../receiver.mjs";
import { eventually, silentServer, start } from "../support.mjs";

const events = ["repo.created"];

/**
 * A worker that ends with the test.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("../support.mjs").Started} started
 */
function works(t, { service }) {
  const stop = new AbortController();
  const worker = work(service, { signal: stop.signal, concurrency: 1, pollInterval: 100 });
  t.after(async () => {
    stop.abort();
    await worker.stopped;
  });
  return worker;
}

/**
 * Another organisation with a receiver that answers.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("../support.mjs").Started} started
 */
async function wellBehaved(t, { service, ok }) {
  await service.ensureOrganization("good");
  const key = await service.createApiKey("good", "admin");
  const receiver = await receive(t);
  await ok("POST", "/good/webhook-targets", { url: receiver.url, events }, { key });
  /** The milliseconds from an event to its arrival. */
  const arrival = async () => {
    const before = receiver.deliveries.length;
    const from = performance.now();
    await ok("POST", "/good/repos", {}, { key });
    while (receiver.deliveries.length === before) {
      assert.ok(performance.now() - from < 30_000, "it did not arrive within 30 s");
      await delay(5);
    }
    return performance.now() - from;
  };
  return { key, arrival };
}

onBoth("many receivers that hang hold up no other organisation's webhooks", async (t, where) => {
  const started = await start(t, where);
  const { ok } = started;
  const silent = await silentServer(t);
  t.after(() => silent.hangUp());
  const { arrival } = await wellBehaved(t, started);
  for (let n = 0; n < 30; n += 1) {
    await ok("POST", "/acme/webhook-targets", { url: `${silent.url}?${n}`, events });
  }
  for (let n = 0; n < 10; n += 1) await ok("POST", "/acme/repos", {});
  const worker = works(t, started);
  await eventually(() => silent.held.length >= 8);
  const times = [];
  for (let n = 0; n < 5; n += 1) {
    worker.wake("webhook");
    times.push(await arrival());
    await delay(200);
  }
  assert.ok(Math.max(...times) < 2_000, `milliseconds until each arrived: ${times.map(Math.round)}`);
  assert.equal(silent.held.length, 8, "an organisation has eight deliveries under way at the same time, and no more");
});

onBoth("a target that hangs twice waits as a whole, and is then asked with one delivery", async (t, where) => {
  const started = await start(t, where);
  const { ok, sql, lines, service } = started;
  let hangs = true;
  /** @type {import("node:http").ServerResponse[]} */
  const held = [];
  let answered = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (hangs) return void held.push(response);
    answered += 1;
    response.writeHead(204).end();
  });
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { id } = await ok("POST", "/acme/webhook-targets", { url: `http://127.0.0.1:${port}/`, events });
  for (let n = 0; n < 6; n += 1) await ok("POST", "/acme/repos", {});

  const from = performance.now();
  await Promise.all([service.deliver(), service.deliver(), service.deliver()]);
  const took = performance.now() - from;
  assert.ok(took > 9_900 && took < 11_500, `a delivery without an answer took ${Math.round(took)} ms`);
  assert.equal(held.length, 2, "a target has two under way at most");
  assert.match(
    lines.join("\n"),
    new RegExp(`webhook ${id} did not answer twice in a row; nothing is sent to it for \\d+ s`),
  );
  assert.equal(await service.deliver(), false, "four deliveries are due, and none is sent");

  const later = () => sql("UPDATE refsync.webhook_targets SET waits_until = now()");
  await later();
  const asked = service.deliver();
  await eventually(() => held.length === 3);
  assert.equal(await service.deliver(), false, "one delivery at a time");
  present(held[2]).destroy();
  assert.equal(await asked, true);
  const [{ hangs: kept }] = await sql("SELECT hangs FROM refsync.webhook_targets");
  assert.equal(kept, 0, "a connection that ends is an answer: it held nobody up");

  await sql("UPDATE refsync.webhook_targets SET hangs = 2, waits_until = now() + interval '1 h'");
  assert.equal(await service.deliver(), false);
  await ok("PATCH", `/acme/webhook-targets/${id}`, { url: `http://127.0.0.1:${port}/other` });
  hangs = false;
  await sql("UPDATE refsync.webhook_deliveries SET run_after = now()");
  await deliverAll(service);
  assert.equal(answered, 6, "at a new URL everything arrives at once");
});

onBoth("what a target that never answers should have had is given up after a day", async (t, where) => {
  const { ok, sql, lines, service } = await start(t, where);
  const silent = await silentServer(t);
  const { id } = await ok("POST", "/acme/webhook-targets", { url: silent.url, events });
  for (let n = 0; n < 5; n += 1) await ok("POST", "/acme/repos", {});
  await sql(
    `UPDATE refsync.webhook_deliveries SET created_at = now() - interval '25 h'
     WHERE seq < (SELECT max(seq) FROM refsync.webhook_deliveries)`,
  );
  await sql("UPDATE refsync.webhook_targets SET hangs = 5");
  assert.equal(await service.deliver(), true);
  assert.match(lines.join("\n"), new RegExp(`webhook ${id} .*3 deliveries that waited for a day are given up`));
  const left = await sql("SELECT attempts FROM refsync.webhook_deliveries");
  assert.deepEqual(left, [{ attempts: 0 }], "the one that is not old waits");
});

test("a receiver has ten seconds in all, also if it refuses the new secret slowly", async (t) => {
  const { ok, service, lines } = await start(t);
  const receiver = await receive(t, async () => {
    await delay(7_000);
    return 401;
  });
  const { id } = await ok("POST", "/acme/webhook-targets", { url: receiver.url, events });
  await ok("POST", `/acme/webhook-targets/${id}/rotate-secret`);
  await ok("POST", "/acme/repos", {});
  const from = performance.now();
  await service.deliver();
  const took = performance.now() - from;
  assert.ok(took > 9_900 && took < 11_500, `${Math.round(took)} ms`);
  assert.match(lines.join("\n"), /no answer came within 10 s/);
});

onBoth("an answer without an end is not waited for, and its connection is closed", async (t, where) => {
  const { ok, service } = await start(t, where);
  let isClosed = false;
  const server = createServer((_request, response) => {
    response.writeHead(200);
    const dribble = setInterval(() => response.write("x"), 50);
    response.on("close", () => {
      clearInterval(dribble);
      isClosed = true;
    });
  });
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await ok("POST", "/acme/webhook-targets", { url: `http://127.0.0.1:${port}/`, events });
  await ok("POST", "/acme/repos", {});
  const from = performance.now();
  assert.equal(await deliverAll(service), 1);
  assert.ok(performance.now() - from < 2_000);
  await eventually(() => isClosed);
});

onBoth("an organisation has one large delivery under way, and small ones pass it", async (t, where) => {
  const started = await start(t, where);
  const { ok, sql } = started;
  const silent = await silentServer(t);
  t.after(() => silent.hangUp());
  const receiver = await receive(t);
  for (let n = 0; n < 4; n += 1) {
    await ok("POST", "/acme/webhook-targets", { url: `${silent.url}?${n}`, events });
  }
  await ok("POST", "/acme/repos", {});
  await sql(
    `UPDATE refsync.webhook_deliveries SET bytes = 2000000, envelope = envelope || jsonb_build_object('data', (
       SELECT string_agg(md5(n::text), '') FROM generate_series(1, 20000) n))`,
  );
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events });
  works(t, started);
  await eventually(() => silent.held.length >= 1);
  await ok("POST", "/acme/repos", {});
  await eventually(() => receiver.deliveries.length === 1);
  // Each of the four targets has one more small delivery, in progress or delivered.
  const large = silent.held.filter(({ request }) => Number(request.headers["content-length"]) > 500_000);
  assert.equal(large.length, 1);
});

test("a target with many deliveries of one repository is removed at once", async (t) => {
  const { ok, sql } = await start(t);
  const { id } = await ok("POST", "/acme/webhook-targets", { url: "https://receiver.example.com/", events });
  const fill = (/** @type {number} */ count) =>
    sql(`INSERT INTO refsync.webhook_deliveries (target_id, subject, envelope)
      SELECT '${id}', 'repo_1', '{}' FROM generate_series(1, ${count})`);
  await fill(20_000);
  const from = performance.now();
  await ok("DELETE", `/acme/webhook-targets/${id}`);
  const ms = performance.now() - from;
  assert.equal((await sql("SELECT count(*)::int AS count FROM refsync.webhook_deliveries"))[0].count, 0);
  assert.ok(ms < 5_000, `${Math.round(ms)} ms`);
});
