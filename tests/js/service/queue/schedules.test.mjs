import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { serve } from "refsync/node";

import { nextTick } from "../../../../pkg/dist/service/schedule.js";
import { present } from "../../../support/present.mjs";
import { eventually, fields, git, start } from "../support.mjs";

/**
 * @import { SyncRun } from "refsync"
 * @import { Started } from "../support.mjs"
 */

const url = "https://git.example.com/team/app.git";
/** @param {number} count */
const minutes = (count) => count * 60_000;
/**
 * @param {string} moment
 * @param {[cron: string, timeZone: string]} line
 */
const at = (moment, ...line) => new Date(present(nextTick(...line, Date.parse(moment)))).toISOString();

/**
 * Makes the schedule due since `ago`, an interval of PostgreSQL.
 *
 * @param {Started} s
 */
const makeDue = (s, ago = "1 second") =>
  s.sql(`UPDATE refsync.repos SET schedule_at = now() - interval '${ago}' WHERE schedule IS NOT NULL`);

/**
 * Ticks until `fits` is true. The service checks its schedules in a tick, once a second.
 *
 * @param {Started} s
 * @param {() => unknown} fits
 */
const untilScheduled = (s, fits) =>
  eventually(async () => {
    await s.service.tick();
    return fits();
  });

test("a schedule is shown with its next run, kept, replaced and ended", async (t) => {
  const { ok } = await start(t);
  const schedule = { every: "15m", direction: "push", ref_globs: { branches: "main" } };
  const made = await ok("POST", "/acme/repos", { name: "app", upstream: { url, schedule } });
  const { next_at: nextAt, ...rest } = made.upstream.schedule;
  assert.deepEqual(rest, {
    every: "15m",
    cron: null,
    time_zone: null,
    direction: "push",
    ref_globs: { branches: "main", tags: "" },
  });
  const wait = Date.parse(nextAt) - Date.now();
  assert.ok(wait > -1000 && wait <= minutes(15), `${wait} ms`);
  assert.equal((await ok("GET", "/acme/app")).upstream.schedule.next_at, nextAt);

  const kept = await ok("PATCH", "/acme/app", { upstream: { url } });
  assert.deepEqual(kept.upstream.schedule, made.upstream.schedule);
  const replaced = await ok("PATCH", "/acme/app", {
    upstream: { url, schedule: { cron: "30 4 * * 1", time_zone: "Europe/Berlin" } },
  });
  const { next_at: monday, ...cron } = replaced.upstream.schedule;
  assert.deepEqual(cron, {
    every: null,
    cron: "30 4 * * 1",
    time_zone: "Europe/Berlin",
    direction: "pull",
    ref_globs: { branches: "*", tags: "*" },
  });
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Berlin",
    weekday: "short",
    hour: "numeric",
    minute: "numeric",
  });
  assert.match(local.format(new Date(monday)), /^Mon 04:3[0-5]$/, "up to five minutes late");
  assert.equal((await ok("PATCH", "/acme/app", { upstream: { url, schedule: null } })).upstream.schedule, null);
  const gone = await ok("PATCH", "/acme/app", { upstream: { url, schedule } });
  assert.ok(gone.upstream.schedule.next_at);
  assert.equal((await ok("PATCH", "/acme/app", { upstream: null })).upstream, null);
});

test("a schedule that is none is refused, and the field is named", async (t) => {
  const { call } = await start(t);
  /** @type {[schedule: unknown, field: string, says: RegExp][]} */
  const bad = [
    [{}, "", /either every.*or cron/],
    [{ every: "15m", cron: "0 3 * * *" }, "", /either every.*or cron/],
    [{ time_zone: "UTC" }, "", /either every.*or cron/],
    ["15m", "", /must be an object/],
    [{ every: "0m" }, ".every", /1m to 30d/],
    [{ every: "31d" }, ".every", /1m to 30d/],
    [{ every: "15" }, ".every", /1m to 30d/],
    [{ every: "15s" }, ".every", /1m to 30d/],
    [{ every: "1é" }, ".every", /1m to 30d/],
    [{ every: "-5m" }, ".every", /1m to 30d/],
    [{ every: 15 }, ".every", /string/],
    [{ every: "1h", time_zone: "UTC" }, ".time_zone", /needs cron/],
    [{ cron: "0 3 * * *", time_zone: "Mars/Base" }, ".time_zone", /IANA/],
    [{ cron: "0 3 * * *", time_zone: "" }, ".time_zone", /IANA/],
    [{ cron: "0 3 * *" }, ".cron", /not a cron line/],
    [{ cron: "* * * * * *" }, ".cron", /not a cron line/],
    [{ cron: "61 * * * *" }, ".cron", /not a cron line.*minute/],
    [{ cron: "0 3 * * *\n" }, ".cron", /not a cron line/],
    [{ cron: "0 0 31 2 *" }, ".cron", /days that do not exist/],
    [{ every: "1h", direction: "up" }, ".direction", /pull/],
    [{ every: "1h", ref_globs: {} }, ".ref_globs", /at least one/],
    [{ every: "1h", ref_globs: { branches: "a\0" } }, ".ref_globs", /NUL/],
    [{ evry: "1h" }, ".evry", /unknown field/],
  ];
  for (const [schedule, field, says] of bad) {
    const answer = await call("POST", "/acme/repos", { upstream: { url, schedule } });
    const what = JSON.stringify([schedule, answer[1]]);
    assert.equal(answer[0], 400, what);
    assert.deepEqual(fields(answer), [`upstream.schedule${field}`], what);
    assert.match(answer[1].error.details.fields[0].message, says, what);
  }
});

test("cron lines follow their time zone through both changes of its clocks", () => {
  /** @type {[cron: string, timeZone: string]} */
  const berlin = ["30 2 * * *", "Europe/Berlin"];
  assert.equal(at("2026-03-27T12:00:00Z", ...berlin), "2026-03-28T01:30:00.000Z");
  assert.equal(at("2026-03-28T12:00:00Z", ...berlin), "2026-03-29T01:30:00.000Z", "02:30 is left out: 03:30 there");
  assert.equal(at("2026-03-29T01:30:00Z", ...berlin), "2026-03-30T00:30:00.000Z");
  assert.equal(at("2026-10-24T12:00:00Z", ...berlin), "2026-10-25T00:30:00.000Z", "the first of two");
  assert.equal(at("2026-10-25T00:30:00Z", ...berlin), "2026-10-26T01:30:00.000Z", "the second is no other one");
  assert.equal(at("2026-01-01T00:00:00Z", "0 9 * * 1-5", "Asia/Kolkata"), "2026-01-01T03:30:00.000Z");
});

test("a schedule whose time has come queues one run, however much it missed and however many workers look", async (t) => {
  const s = await start(t);
  const schedule = { every: "1h", direction: "push", ref_globs: { tags: "v*" } };
  const upstream = { url: "http://127.0.0.1:9/x.git", schedule };
  const { id } = await s.ok("POST", "/acme/repos", { name: "app", upstream });
  await s.service.tick();
  assert.deepEqual((await s.ok("GET", "/acme/app/upstream/syncs")).syncs, [], "not before its time");
  await makeDue(s, "3 days");
  await eventually(async () => {
    await Promise.all(Array.from({ length: 4 }, () => s.service.tick()));
    return s.queued() > 0;
  });
  const { syncs } = await s.ok("GET", "/acme/app/upstream/syncs");
  assert.deepEqual(
    syncs.map((/** @type {SyncRun} */ { repo_id, direction, ref_globs }) => [repo_id, direction, ref_globs]),
    [[id, "push", { branches: "", tags: "v*" }]],
  );
  const { next_at: next } = (await s.ok("GET", "/acme/app")).upstream.schedule;
  assert.ok(Date.parse(next) > Date.now() - 1000 && Date.parse(next) <= Date.now() + minutes(60), next);
});

test("a scheduled run joins an identical one that waits", async (t) => {
  const s = await start(t);
  const upstream = { url: "http://127.0.0.1:9/x.git", schedule: { every: "1h" } };
  await s.ok("POST", "/acme/repos", { name: "app", upstream });
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.sql("UPDATE refsync.syncs SET run_after = now() + interval '1 hour'");
  await makeDue(s);
  const before = (await s.ok("GET", "/acme/app")).upstream.schedule.next_at;
  await untilScheduled(s, async () => (await s.ok("GET", "/acme/app")).upstream.schedule.next_at !== before);
  const { syncs } = await s.ok("GET", "/acme/app/upstream/syncs");
  assert.deepEqual(
    syncs.map((/** @type {SyncRun} */ run) => run.id),
    [id],
  );
});

test("repositories with one schedule do not all come at once, and each comes at its own point", async (t) => {
  const s = await start(t);
  const upstream = { url, schedule: { every: "1h" } };
  const points = [];
  for (let n = 0; n < 20; n += 1) {
    const { name, upstream: made } = await s.ok("POST", "/acme/repos", { upstream });
    const again = (await s.ok("PATCH", `/acme/${name}`, { upstream })).upstream;
    const point = Date.parse(made.schedule.next_at) % minutes(60);
    assert.equal(Date.parse(again.schedule.next_at) % minutes(60), point, "the same one each time");
    points.push(point);
  }
  const quarters = new Set(points.map((point) => Math.floor(point / minutes(15))));
  assert.ok(quarters.size >= 3, `20 repositories come in ${quarters.size} quarters of the hour`);
});

test("an upstream that refuses its credential five times pauses its schedule, and says so until one is good", async (t) => {
  const s = await start(t);
  // Like a server that locks an account for a while.
  let isLocked = false;
  /** @param {Request} request */
  const fetch = async (request) => (isLocked ? new Response("locked\n", { status: 401 }) : s.service.fetch(request));
  const listener = await serve({ service: { fetch } });
  t.after(() => listener.close(0));
  const origin = listener.url;
  await s.ok("POST", "/acme/repos", { name: "source" });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  await git(join(s.folder, "work"), "commit", "-q", "--allow-empty", "-m", "one");
  const remote = `${origin.replace("//", `//x:${s.keys.write}@`)}/acme/source.git`;
  await git(join(s.folder, "work"), "push", "-q", remote, "main");
  const source = `${origin}/acme/source.git`;
  /** @param {string} token */
  const auth = (token) => ({ kind: "token", token });
  const upstream = { url: source, auth: auth("not the right one"), schedule: { every: "30d" } };
  await s.ok("POST", "/acme/repos", { name: "app", upstream });
  const shown = async () => (await s.ok("GET", "/acme/app")).upstream;
  const run = async () => {
    const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
    await eventually(async () => {
      await s.service.tick();
      return ["completed", "failed"].includes((await s.ok("GET", `/acme/app/upstream/syncs/${id}`)).status);
    });
    return s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  };

  for (let n = 1; n <= 4; n += 1) assert.match((await run()).error, /refused the user name and password or token/);
  assert.equal((await shown()).paused_at, null, "four are not enough");
  await makeDue(s);
  await untilScheduled(s, async () => (await shown()).paused_at !== null);
  const paused = await shown();
  assert.match(paused.pause_reason, /refused the stored credential 5 times in a row/);
  assert.equal(paused.schedule.next_at, null);
  assert.equal(paused.latest_sync.status, "failed", "the fifth was the scheduled one");
  const count = async () => (await s.ok("GET", "/acme/app/upstream/syncs")).syncs.length;
  assert.equal(await count(), 5);
  await makeDue(s);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await s.service.tick();
  assert.equal(await count(), 5, "a paused schedule queues nothing");

  const mended = await s.ok("PATCH", "/acme/app", { upstream: { url: source, auth: auth(s.keys.write) } });
  assert.deepEqual([mended.upstream.paused_at, mended.upstream.pause_reason], [null, null]);
  await untilScheduled(s, async () => (await count()) === 6);
  await eventually(async () => {
    await s.service.tick();
    return (await shown()).latest_sync.status === "completed";
  });

  isLocked = true;
  for (let n = 0; n < 5; n += 1) await run();
  assert.notEqual((await shown()).paused_at, null);
  isLocked = false;
  assert.equal((await run()).status, "completed");
  assert.deepEqual(
    [(await shown()).paused_at, (await shown()).pause_reason],
    [null, null],
    "a run that completes resumes",
  );
});
