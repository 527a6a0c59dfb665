import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { eventually, silentServer, start } from "../support.mjs";

const url = "http://127.0.0.1:9/nowhere.git";

/** @typedef {{ id?: string, type: string, data?: import("../../../support/json.mjs").Json, comment?: string }} ServerSentEvent */

/**
 * Reads server-sent events by the HTML standard: `{ id, type, data }`, and comments as `{ comment }`.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<ServerSentEvent>}
 */
async function* events(response) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of present(response.body)) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      /** @type {ServerSentEvent} */
      const event = { type: "message" };
      for (const line of text.slice(0, end).split("\n")) {
        const [name = "", ...rest] = line.split(": ");
        const value = rest.join(": ");
        if (name === "") event.comment = value;
        else if (name === "data") event.data = JSON.parse(value);
        else Object.assign(event, { [name === "event" ? "type" : name]: value });
      }
      text = text.slice(end + 2);
      if (event.data || event.comment) yield event;
    }
  }
}

/** @param {import("node:test").TestContext} t */
async function started(t) {
  const s = await start(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const run = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const follow = (headers = {}, key = s.keys.read) =>
    s.service.fetch(
      new Request(`http://service.test/v1/acme/app/upstream/syncs/${run.id}/events`, {
        headers: { authorization: `Bearer ${key}`, accept: "text/event-stream", ...headers },
      }),
    );
  return { ...s, run, follow };
}

test("every status of a run is an event with the run as data, and the stream ends when the run does", async (t) => {
  const { run, follow, service, ok, sql } = await started(t);
  const response = await follow();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  /** @type {ServerSentEvent[]} */
  const seen = [];
  const all = (async () => {
    for await (const event of events(response)) seen.push(event);
  })();
  await eventually(() => seen.length === 1);
  assert.deepEqual(present(seen[0]).data, run);
  // From queued to in progress and back to queued, faster than the stream checks.
  await service.tick();
  await sql("UPDATE refsync.syncs SET run_after = now()");
  await service.tick();
  await ok("POST", `/acme/app/upstream/syncs/${run.id}/cancel`);
  await all;
  assert.deepEqual(
    seen.map(({ data, type }) => [type, data.status, data.attempt]),
    [
      ["message", "queued", 1],
      ["message", "in_progress", 1],
      ["message", "queued", 2],
      ["message", "in_progress", 2],
      ["message", "queued", 3],
      ["message", "failed", 3],
    ],
  );
  assert.deepEqual(present(seen.at(-1)).data, await ok("GET", `/acme/app/upstream/syncs/${run.id}`));

  /** @param {string} id */
  const after = async (id) => {
    const got = [];
    for await (const event of events(await follow({ "last-event-id": id }))) got.push(event);
    return got;
  };
  assert.deepEqual(await after(present(seen[2]?.id)), seen.slice(3), "Last-Event-ID resumes");
  assert.equal((await follow({ "last-event-id": present(seen.at(-1)?.id) })).status, 204, "an EventSource stays away");
  assert.deepEqual(await after(""), seen);
});

test("progress is told in between, and does not move the id", async (t) => {
  const { run, follow, sql, ok } = await started(t);
  await sql(
    `UPDATE refsync.syncs SET status = 'in_progress', lease = 'held', lease_expires_at = now() + interval '1 h',
     started_at = now(), progress = '{"phase":"transferring","bytes":4096,"objects":12}'`,
  );
  /** @type {ServerSentEvent[]} */
  const seen = [];
  for await (const event of events(await follow())) {
    seen.push(event);
    if (event.type === "progress") break;
  }
  const progress = present(seen.find(({ type }) => type === "progress"));
  assert.equal(progress.id, undefined);
  assert.deepEqual(progress.data, {
    ...(await ok("GET", `/acme/app/upstream/syncs/${run.id}`)),
    progress: { phase: "transferring", bytes: 4096, objects: 12 },
  });
});

test("a worker stores how far its run is", async (t) => {
  const { url } = await silentServer(t);
  const { ok, service, sql } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const tick = service.tick();
  await eventually(async () => (await sql("SELECT progress FROM refsync.syncs"))[0].progress !== null);
  const [{ progress }] = await sql("SELECT progress FROM refsync.syncs");
  assert.deepEqual(progress, { phase: "listing", bytes: 0, objects: null, bytes_per_second: null });
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  await tick;
});

test("events that an older version stored come first, and its ids still resume", async (t) => {
  const { run, follow, sql, service, ok } = await started(t);
  await service.tick();
  await sql("UPDATE refsync.syncs SET run_after = now()");
  // As the older version and the migration leave a run that is at its second attempt.
  await sql(
    `INSERT INTO refsync.sync_events (sync_id, run) SELECT s.id, e.run FROM refsync.syncs s, jsonb_array_elements(s.history)
     WITH ORDINALITY e (run, place) ORDER BY e.place`,
  );
  const old = await sql("SELECT seq::int AS seq FROM refsync.sync_events ORDER BY seq");
  assert.equal(old.length, 3);
  await service.tick();
  await ok("POST", `/acme/app/upstream/syncs/${run.id}/cancel`);
  /** @param {string} id */
  const after = async (id) => {
    const got = [];
    for await (const { id: of, data } of events(await follow({ "last-event-id": id })))
      got.push([Number(of), data.status]);
    return got;
  };
  const last = old[2].seq;
  const later = [
    [last + 1, "in_progress"],
    [last + 2, "queued"],
    [last + 3, "failed"],
  ];
  assert.deepEqual(await after(""), [[old[0].seq, "queued"], [old[1].seq, "in_progress"], [last, "queued"], ...later]);
  assert.deepEqual(await after(String(last)), later);
  assert.deepEqual(await after(String(last + 1)), later.slice(1));
});

test("a lost worker, and a run that was handed back, are among the events", async (t) => {
  const { run, follow, sql, service, ok } = await started(t);
  await sql(
    "UPDATE refsync.syncs SET status = 'in_progress', lease = 'lost', lease_expires_at = now() - interval '1 s', started_at = now() - interval '1 min'",
  );
  await service.tick();
  await ok("POST", `/acme/app/upstream/syncs/${run.id}/cancel`);
  const seen = [];
  for await (const { data } of events(await follow())) seen.push([data.status, data.attempt, data.started_at !== null]);
  assert.deepEqual(seen, [
    ["queued", 1, false],
    ["in_progress", 1, true],
    ["in_progress", 2, true],
    ["queued", 3, false],
    ["failed", 3, false],
  ]);
});

test("an id that this run never had, an unknown run and a bad id are answered", async (t) => {
  const { run, follow, sql, call, ok } = await started(t);
  assert.equal((await follow({ "last-event-id": "x" })).status, 400);
  assert.equal((await follow({ accept: "text/html" })).status, 406);
  assert.equal((await follow({}, "wrong")).status, 401);
  assert.equal((await call("GET", "/acme/app/upstream/syncs/sync_1/events"))[0], 404);
  assert.equal((await call("POST", `/acme/app/upstream/syncs/${run.id}/events`))[0], 404);
  const failed = await ok("POST", `/acme/app/upstream/syncs/${run.id}/cancel`);
  assert.deepEqual(await sql("SELECT FROM refsync.sync_events"), [], "the run itself tells them");
  // As after a backup was restored: the follower has an id of the database before.
  const seen = [];
  for await (const event of events(await follow({ "last-event-id": "7" }))) seen.push(event);
  assert.deepEqual(seen, [{ type: "message", id: "2", data: failed }]);
});

test("a deleted repository ends the streams of its runs", async (t) => {
  const { follow, ok } = await started(t);
  const seen = [];
  const all = (async () => {
    for await (const event of events(await follow())) seen.push(event);
  })();
  await eventually(() => seen.length === 1);
  await ok("DELETE", "/acme/app");
  await all;
  assert.equal(seen.length, 1);
});
