import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { work } from "refsync/node";

import { present } from "../../../support/present.mjs";
import { deliverAll, isSigned, receive } from "../receiver.mjs";
import { eventually, git, silentServer, start } from "../support.mjs";

const nowhere = "http://127.0.0.1:9/nowhere.git";
const syncEvents = ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed"];
/** @param {import("../support.mjs").Started["sql"]} sql */
const due = (sql) => sql("UPDATE refsync.webhook_deliveries SET run_after = now()");

test("each state of a sync is delivered in order, signed, with the run as data", async (t) => {
  const s = await start(t, { service: { publicUrl: "https://sync.example.com/" } });
  const { ok, service } = s;
  const receiver = await receive(t);
  const { secret } = await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: syncEvents });

  const origin = await s.listen();
  await ok("POST", "/acme/repos", { name: "source" });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  await git(`${s.folder}/work`, "commit", "-q", "--allow-empty", "-m", "one");
  const url = `${origin}/acme/source.git`;
  await git(`${s.folder}/work`, "push", "-q", url.replace("//", `//x:${s.keys.write}@`), "main");
  const repo = await ok("POST", "/acme/repos", {
    name: "app",
    upstream: { url, auth: { kind: "token", token: s.keys.write } },
  });
  const queued = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await service.tick();
  const completed = await ok("GET", `/acme/app/upstream/syncs/${queued.id}`);
  assert.equal(completed.status, "completed", completed.error);

  assert.equal(await deliverAll(service), 3, "the joined request made no event");
  assert.deepEqual(receiver.types(), ["sync.queued", "sync.in_progress", "sync.completed"]);
  const [first, second, third] = receiver.deliveries.map(({ event }) => event.data);
  assert.deepEqual(first, { sync: queued });
  assert.deepEqual([second.sync.status, second.sync.stats], ["in_progress", null]);
  assert.ok(second.sync.started_at);
  assert.deepEqual(third, { sync: completed });
  const { org } = await ok("GET", "/whoami");
  for (const delivery of receiver.deliveries) {
    assert.ok(isSigned(delivery, secret));
    assert.ok(!isSigned(delivery, "another"));
    assert.deepEqual([delivery.method, delivery.url], ["POST", "/hook?from=refsync"]);
    assert.equal(delivery.headers["content-type"], "application/json");
    const { id, occurred_at, type, organization, repository, data, ...rest } = delivery.event;
    assert.match(id, /^evt_/);
    assert.match(occurred_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(organization, org);
    assert.deepEqual(repository, { id: repo.id, name: "app", url: "https://sync.example.com/acme/app.git" });
    assert.deepEqual(rest, {});
    assert.ok(type && data);
  }
  assert.equal(new Set(receiver.deliveries.map(({ event }) => event.id)).size, 3);
  assert.deepEqual(await s.sql("SELECT seq FROM refsync.webhook_deliveries"), [], "what was delivered is gone");
});

test("a cancelled run, a retried one and one whose worker is lost announce what they become", async (t) => {
  const { ok, service, sql } = await start(t);
  const receiver = await receive(t);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: syncEvents });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: nowhere } });
  const heard = async () => {
    await deliverAll(service);
    return receiver.deliveries
      .splice(0)
      .map(({ event }) => [event.type, event.data.sync.attempt, event.data.sync.error]);
  };
  const cancelled = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("POST", `/acme/app/upstream/syncs/${cancelled.id}/cancel`);
  assert.deepEqual(await heard(), [
    ["sync.queued", 1, null],
    ["sync.failed", 1, "cancelled"],
  ]);
  await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await service.tick();
  assert.deepEqual(await heard(), [
    ["sync.queued", 1, null],
    ["sync.in_progress", 1, null],
    ["sync.queued", 2, null],
  ]);
  await sql(
    "UPDATE refsync.syncs SET status = 'in_progress', attempt = 10, lease = 'dead', lease_expires_at = now() WHERE status = 'queued'",
  );
  await service.tick();
  const [type, attempt, error] = present((await heard())[0]);
  assert.deepEqual([type, attempt], ["sync.failed", 10]);
  assert.match(error, /worker was lost/);
});

test("a repository's creation, change and end are delivered, with what was before and after", async (t) => {
  const s = await start(t);
  const { ok, service } = s;
  const receiver = await receive(t);
  const events = ["repo.created", "repo.updated", "repo.deleted"];
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events });
  const made = await ok("POST", "/acme/repos", { name: "app", tags: { a: "1" } });
  const origin = await s.listen();
  await git(s.folder, "init", "-q", "-b", "main", "work");
  await git(`${s.folder}/work`, "commit", "-q", "--allow-empty", "-m", "one");
  await git(`${s.folder}/work`, "push", "-q", `${origin.replace("//", `//x:${s.keys.write}@`)}/acme/app.git`, "main");
  const { head_change_id } = await ok("GET", "/acme/app");
  await ok("PATCH", "/acme/app", {});
  await ok("PATCH", "/acme/app", { name: "renamed", tags: { a: null, b: "2" } });
  await ok("PATCH", "/acme/renamed", { default_bookmark: "empty" });
  await ok("PATCH", "/acme/renamed", { default_bookmark: "main" });
  await ok("DELETE", "/acme/renamed");
  await deliverAll(service);
  assert.deepEqual(receiver.types(), [events[0], events[1], events[1], events[1], events[2]], "no change, no event");
  const [created, updated, emptied, , deleted] = receiver.deliveries.map(({ event }) => event);
  const { id, name, default_bookmark, created_at, tags } = made;
  assert.deepEqual(created.data, {
    repo: { id, name, default_bookmark, head_change_id: "z".repeat(32), created_at, tags },
  });
  const repo = { ...created.data.repo, name: "renamed", tags: { b: "2" }, head_change_id };
  assert.deepEqual(updated.data, {
    repo,
    before: { name: "app", default_bookmark: "main", tags: { a: "1" } },
    after: { name: "renamed", default_bookmark: "main", tags: { b: "2" } },
  });
  assert.deepEqual(updated.repository, { id, name: "renamed", url: "/acme/renamed.git" });
  assert.equal(emptied.data.repo.head_change_id, "z".repeat(32), "the head of a branch that is not there");
  assert.deepEqual(deleted.data, { repo });
});

test("a delivery that is refused is tried again later under the same id, and holds up its own sync only", async (t) => {
  const { ok, service, sql, lines } = await start(t);
  let refuse = true;
  const receiver = await receive(t, () => (refuse ? 503 : 200));
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: syncEvents });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: nowhere } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  assert.equal(await deliverAll(service), 1, "the second event waits for the first");
  const [{ wait }] = await sql(
    "SELECT extract(epoch FROM run_after - now())::float8 AS wait FROM refsync.webhook_deliveries WHERE attempts > 0",
  );
  assert.ok(wait > 1 && wait <= 7.5, `${wait} s until the second attempt`);
  assert.match(lines.join("\n"), /webhook wht_.*sync\.queued evt_.*attempt 1: the receiver answered 503/);
  const other = await ok("POST", "/acme/app/upstream/syncs", { direction: "push" });
  refuse = false;
  await deliverAll(service);
  assert.deepEqual(
    receiver.deliveries.map(({ event }) => [event.type, event.data.sync.id]),
    [
      ["sync.queued", id],
      ["sync.queued", other.id],
    ],
  );
  await due(sql);
  await deliverAll(service);
  assert.deepEqual(
    receiver.deliveries.slice(2).map(({ event }) => [event.type, event.data.sync.id]),
    [
      ["sync.queued", id],
      ["sync.failed", id],
    ],
  );
  const [first, , again] = receiver.deliveries;
  assert.equal(present(again).event.id, present(first).event.id);
  assert.equal(present(again).raw, present(first).raw);
});

test("a delivery is given up after a day, and then the next one goes out", async (t) => {
  const { ok, service, sql, lines } = await start(t);
  const receiver = await receive(t, () => 500);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: syncEvents });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: nowhere } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("POST", `/acme/app/upstream/syncs/${id}/cancel`);
  await sql("UPDATE refsync.webhook_deliveries SET attempts = 40");
  await deliverAll(service);
  const [{ wait }] = await sql(
    "SELECT max(extract(epoch FROM run_after - now()))::float8 AS wait FROM refsync.webhook_deliveries",
  );
  assert.ok(wait > 1700 && wait <= 5400, `${wait} s: an hour, more or less, between the last attempts`);
  await sql(
    "UPDATE refsync.webhook_deliveries SET created_at = now() - interval '25 h' WHERE seq = (SELECT min(seq) FROM refsync.webhook_deliveries)",
  );
  await due(sql);
  await deliverAll(service);
  assert.deepEqual(receiver.types(), ["sync.queued", "sync.queued", "sync.failed"]);
  assert.match(lines.join("\n"), /given up/);
  assert.equal((await sql("SELECT seq FROM refsync.webhook_deliveries")).length, 1);
});

test("while a secret is rotated, a receiver that knows the old one or the new one is served", async (t) => {
  const { ok, service, sql, keys, call } = await start(t);
  /** @type {string} */
  let secret = "";
  const receiver = await receive(t, (delivery) => (isSigned(delivery, secret) ? 204 : 401));
  const target = await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  const path = `/acme/webhook-targets/${target.id}/rotate-secret`;
  assert.equal((await call("POST", path, undefined, { key: keys.write }))[0], 403);
  const rotated = await ok("POST", path);
  assert.notEqual(rotated.secret, target.secret);
  const arrived = async () => {
    await ok("POST", "/acme/repos", {});
    await deliverAll(service);
    const [{ left }] = await sql("SELECT count(*)::int AS left FROM refsync.webhook_deliveries");
    return left === 0;
  };
  secret = target.secret;
  assert.ok(await arrived(), "a receiver that knows only the old one");
  assert.equal(receiver.deliveries.length, 2, "refused under the new one, and sent again at once");
  secret = rotated.secret;
  assert.ok(await arrived(), "a receiver that knows only the new one");
  assert.equal(receiver.deliveries.length, 3);
  await sql("UPDATE refsync.webhook_targets SET previous_secret_expires_at = now()");
  secret = target.secret;
  assert.ok(!(await arrived()), "the old one is good for a day only");
});

test("repo_ids and events choose what a target gets", async (t) => {
  const { ok, service } = await start(t);
  /** @param {string} name */
  const repo = async (name) => (await ok("POST", "/acme/repos", { name, upstream: { url: nowhere } })).id;
  const [a, b] = [await repo("a"), await repo("b")];
  const receivers = [];
  for (const body of [{ repo_ids: [a], events: syncEvents }, { repo_ids: [a, b], events: ["sync.queued"] }, {}]) {
    const receiver = await receive(t);
    receivers.push(receiver);
    await ok("POST", "/acme/webhook-targets", { url: receiver.url, ...body });
  }
  for (const name of ["a", "b"]) {
    const { id } = await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
    await ok("POST", `/acme/${name}/upstream/syncs/${id}/cancel`);
  }
  await deliverAll(service);
  const got = receivers.map(({ deliveries }) =>
    deliveries.map(({ event }) => `${event.type} ${event.repository.name}`).sort(),
  );
  assert.deepEqual(got, [["sync.failed a", "sync.queued a"], ["sync.queued a", "sync.queued b"], []]);
});

test("a receiver on a private address, or one that redirects, gets nothing it should not", async (t) => {
  const { guardedFetch } = await import("refsync/node");
  const guarded = await start(t, { service: { fetch: guardedFetch() } });
  const receiver = await receive(t);
  await guarded.ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  await guarded.ok("POST", "/acme/repos", {});
  assert.equal(await deliverAll(guarded.service), 1);
  assert.equal(receiver.deliveries.length, 0, "no packet was sent");
  assert.match(guarded.lines.join("\n"), /127\.0\.0\.1.*not allowed|not allowed.*127\.0\.0\.1|not public|private/i);
});

test("a redirect is a refusal: a delivery never goes to another address", async (t) => {
  const { ok, service } = await start(t);
  const receiver = await receive(t, () => 307);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  await ok("POST", "/acme/repos", {});
  await deliverAll(service);
  assert.equal(receiver.deliveries.length, 1);
});

test("a receiver that never answers does not hold up another, and a worker delivers by itself", async (t) => {
  const { ok, service } = await start(t);
  const silent = await silentServer(t);
  const receiver = await receive(t);
  const events = ["repo.created"];
  await ok("POST", "/acme/webhook-targets", { url: silent.url, events });
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events });
  for (let n = 0; n < 6; n += 1) await ok("POST", "/acme/repos", {});
  const stop = new AbortController();
  const worker = work(service, { signal: stop.signal, pollInterval: 100 });
  await eventually(() => receiver.deliveries.length === 6);
  stop.abort();
  silent.hangUp();
  await worker.stopped;
});

test("deleting a repository ends its runs, and their end is told before the repository's", async (t) => {
  const { ok, service, sql } = await start(t);
  const receiver = await receive(t);
  await ok("POST", "/acme/webhook-targets", {
    url: receiver.url,
    events: ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed", "repo.deleted"],
  });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  const queued = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const running = await ok("POST", "/acme/app/upstream/syncs", { direction: "push" });
  await sql(
    `UPDATE refsync.syncs SET status = 'in_progress', lease = 'l', lease_expires_at = now() + interval '1 hour'
     WHERE id = '${running.id}'`,
  );
  assert.deepEqual(await ok("DELETE", "/acme/app"), { success: true });
  await deliverAll(service);
  const told = receiver.deliveries.map(({ event }) => event);
  for (const { id } of [queued, running]) {
    const [, failed, ...more] = told.filter(({ data }) => data.sync?.id === id);
    assert.deepEqual([failed.type, failed.data.sync.error, more], ["sync.failed", "the repository was deleted", []]);
    assert.ok(failed.data.sync.finished_at);
  }
  const deleted = told.find(({ type }) => type === "repo.deleted");
  assert.equal(deleted.repository.name, "app");
  assert.deepEqual(await sql("SELECT id FROM refsync.syncs"), []);
});

test("a token in a receiver's address and the secret are in no log, whatever a failed fetch says", async (t) => {
  const token = `planted "token"/${randomBytes(8).toString("hex")}`;
  const s = await start(t, {
    service: {
      fetch: async (input, init) => {
        const sent = Object.entries(Object(init?.headers)).join();
        throw new TypeError(`error sending request for url (${input}), with ${sent}, and again ${token}`);
      },
    },
  });
  const url = `https://hooks.example/in?kind=sync&token=${encodeURIComponent(token)}`;
  await s.ok("POST", "/acme/webhook-targets", { url, events: ["repo.created"] });
  await s.ok("POST", "/acme/repos", { name: "app" });
  assert.equal(await s.service.deliver(), true);
  const log = s.lines.join("\n");
  assert.match(log, /error sending request for url \(https:\/\/hooks\.example\/in\?\[credential\]/);
  for (const form of [token, encodeURIComponent(token), token.slice(-16)]) assert.ok(!log.includes(form), log);
});
