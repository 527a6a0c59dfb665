// A clock that is set back. Nothing waits until the clock has caught up.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Service } from "refsync/service";

import { onBoth } from "../databases.mjs";
import { deliverAll, receive } from "../receiver.mjs";
import { start } from "../support.mjs";

const HOUR = 3_600_000;

/**
 * Sets all times in the database an hour ahead. This has the same effect as a clock that goes back by an hour.
 *
 * @param {import("../support.mjs").Started} started
 */
async function hourAhead({ sql }) {
  const columns = await sql(
    `SELECT table_name, string_agg(format('%1$I = %1$I + interval ''1 h''', column_name), ', ') AS sets
     FROM information_schema.columns WHERE table_schema = 'refsync' AND data_type = 'timestamp with time zone'
     GROUP BY table_name`,
  );
  for (const { table_name, sets } of columns) await sql(`UPDATE refsync.${table_name} SET ${sets}`);
}

/** An engine that does nothing. */
const engine = {
  async sync() {
    return JSON.stringify({ stats: { refs: [] }, head: null });
  },
  async findRef() {
    return undefined;
  },
};

onBoth("a process that starts on a database from the future works what waits", async (t, where) => {
  const started = await start(t, { ...where, service: { engine } });
  const { ok, sql, folder, database, keys } = started;
  const receiver = await receive(t);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created", "sync.completed"] });
  const upstream = { url: "https://upstream.test/r.git" };
  for (const name of ["queued", "lost"]) {
    await ok("POST", "/acme/repos", { name, upstream });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
  }
  await ok("POST", "/acme/repos", { name: "often", upstream: { ...upstream, schedule: { every: "5m" } } });
  const cron = { cron: "* * * * *", time_zone: "Europe/Berlin" };
  await ok("POST", "/acme/repos", { name: "cron", upstream: { ...upstream, schedule: cron } });
  await ok("POST", "/acme/repos", { name: "later", upstream: { ...upstream, schedule: { every: "12h" } } });
  const next = async (/** @type {string} */ name) =>
    Date.parse((await ok("GET", `/acme/${name}`)).upstream.schedule.next_at) - Date.now();
  const later = await next("later");
  await sql(
    `UPDATE refsync.syncs SET status = 'in_progress', lease = 'gone', lease_expires_at = now() + interval '30 s', started_at = now()
     WHERE repo_id = (SELECT id FROM refsync.repos WHERE name = 'lost')`,
  );
  await hourAhead(started);
  assert.ok((await next("often")) > 55 * 60_000);

  /** @type {string[]} */
  const lines = [];
  const { gitHttpBackend, guardedFetch } = await import("refsync/node");
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  t.after(() => fetch.close());
  const service = new Service({
    database,
    git: gitHttpBackend({ root: `${folder}/repositories` }),
    fetch,
    engine,
    secretKey: new Uint8Array(32).fill(7),
    log: (line) => lines.push(line),
  });
  assert.equal(await service.tick(), true, lines.join("\n"));
  assert.match(
    lines.join("\n"),
    /the database's clock went back by some 3\d\d\d s; 2 runs, 5 webhook deliveries and 3 schedules that waited for it go on now/,
  );
  const runs = await sql(
    "SELECT r.name, s.status FROM refsync.syncs s JOIN refsync.repos r ON r.id = s.repo_id ORDER BY s.seq",
  );
  assert.deepEqual(runs, [
    { name: "queued", status: "completed" },
    { name: "lost", status: "in_progress" },
  ]);
  const [{ left }] = await sql(
    "SELECT extract(epoch FROM lease_expires_at - now())::int AS left FROM refsync.syncs WHERE lease IS NOT NULL",
  );
  assert.ok(left <= 30, `a lost worker's lease has ${left} s left`);
  assert.equal(await deliverAll(service), 6, "five from before, and the run's");
  assert.ok((await next("often")) <= 5 * 60_000);
  assert.ok((await next("cron")) <= 5 * 60_000);
  assert.ok(Math.abs((await next("later")) - later) < 120_000, "one that comes later anyway stays as it was");
  assert.equal(lines.length, 1);
  const headers = { authorization: `Bearer ${keys.read}` };
  const who = await service.fetch(new Request("http://service.test/v1/whoami", { headers }));
  assert.equal(who.status, 200);
});

test("a clock that goes back an hour stops neither keys nor queued runs", async (t) => {
  // PGlite takes its time from this function, too.
  const real = Date.now;
  let shift = 0;
  t.mock.method(Date, "now", () => real() + shift);
  const { ok, call, service, sql, lines } = await start(t, {
    service: { engine, rateLimit: { perSecond: 50, burst: 5 } },
  });
  await ok("POST", "/acme/repos", { name: "r", upstream: { url: "https://upstream.test/r.git" } });
  await ok("POST", "/acme/r/upstream/syncs", { direction: "pull" });
  const [{ before }] = await sql("SELECT extract(epoch FROM now())::float8 AS before");
  assert.equal(await service.tick(), true);
  const { id } = await ok("POST", "/acme/r/upstream/syncs", { direction: "pull" });
  shift = -HOUR;
  const [{ after }] = await sql("SELECT extract(epoch FROM now())::float8 AS after");
  assert.ok(after < before - 3_000, "the database's clock went back");
  // The next check of the clock is one second after the last one.
  await new Promise((done) => setTimeout(done, 1_100));
  assert.equal(await service.tick(), true);
  assert.equal((await ok("GET", `/acme/r/upstream/syncs/${id}`)).status, "completed");
  assert.match(lines.join("\n"), /the database's clock went back by some 3\d\d\d s; 1 runs/);
  for (let n = 0; n < 5; n += 1) await call("GET", "/whoami");
  await new Promise((done) => setTimeout(done, 200));
  assert.equal((await call("GET", "/whoami"))[0], 200, "the bucket of calls has filled again");
  assert.equal(await service.tick(), false);
  assert.equal(lines.length, 1, "the clock is put right once");
});
