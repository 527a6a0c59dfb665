import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { listen } from "../../../support/network/listen.mjs";
import { present } from "../../../support/present.mjs";
import { eventually, git, running, silentServer, start } from "../support.mjs";

/**
 * @import { SyncRun } from "refsync"
 * @import { Started } from "../support.mjs"
 */

/**
 * Makes a branch `main` of two commits on a Git server, and returns its URL for an upstream.
 *
 * @param {Started} s
 */
async function upstreamWithHistory({ listen, ok, folder, keys }) {
  const origin = await listen();
  await ok("POST", "/acme/repos", { name: "source" });
  await git(folder, "init", "-q", "-b", "main", "work");
  const work = join(folder, "work");
  await git(work, "commit", "-q", "--allow-empty", "-m", "one");
  await git(work, "commit", "-q", "--allow-empty", "-m", "two");
  const url = `${origin}/acme/source.git`;
  await git(work, "push", "-q", url.replace("//", `//x:${keys.write}@`), "main");
  return { url, auth: { kind: "token", token: keys.write }, tip: await git(work, "rev-parse", "main"), work };
}

const url = "http://127.0.0.1:9/nowhere.git";

/**
 * Sets a run to the state after its worker died: its lease has expired.
 *
 * @param {Started["sql"]} sql
 */
const expire = (sql) =>
  sql("UPDATE refsync.syncs SET lease_expires_at = now() - interval '1 s' WHERE status = 'in_progress'");
/** @param {Started["sql"]} sql */
const ready = (sql) => sql("UPDATE refsync.syncs SET run_after = now() WHERE status = 'queued'");

test("a pull is queued, claimed, run and completed with its stats", async (t) => {
  const s = await start(t);
  const { url, auth, tip } = await upstreamWithHistory(s);
  const repo = await s.ok("POST", "/acme/repos", { name: "app", upstream: { url, auth } });
  const [status, run] = await s.call("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  assert.equal(status, 201);
  const { id, created_at, ...rest } = run;
  assert.deepEqual(rest, {
    repo_id: repo.id,
    direction: "pull",
    status: "queued",
    attempt: 1,
    ref_globs: { branches: "*", tags: "*" },
    stats: null,
    error: null,
    started_at: null,
    finished_at: null,
  });
  assert.equal(s.queued(), 1);

  assert.equal(await s.service.tick(), true);
  assert.equal(await s.service.tick(), false, "nothing else is ready");
  const done = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(done.status, "completed", done.error ?? s.lines.join("\n"));
  assert.deepEqual(done.stats.refs, [
    { name: "refs/heads/main", before: null, after: tip, outcome: "updated", reason: null, message: null },
  ]);
  assert.ok(done.created_at <= done.started_at && done.started_at <= done.finished_at);

  const shown = await s.ok("GET", "/acme/app");
  assert.deepEqual(shown.upstream.latest_sync, done);
  assert.match(shown.head_change_id, /^[k-z]{32}$/);
  assert.notEqual(shown.head_change_id, "z".repeat(32));
  assert.equal(await git(`${s.folder}/repositories/${repo.id}.git`, "rev-parse", "refs/heads/main"), tip);
});

test("the globs of a request are normalised: an omitted key matches none", async (t) => {
  const { ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  /** @param {object} ref_globs */
  const globs = async (ref_globs) =>
    (await ok("POST", "/acme/app/upstream/syncs", { direction: "push", ref_globs })).ref_globs;
  assert.deepEqual(await globs({ branches: "release/*" }), { branches: "release/*", tags: "" });
  assert.deepEqual(await globs({ tags: "v1.*", branches: "" }), { branches: "", tags: "v1.*" });
  assert.deepEqual(await globs({ tags: "v1.*", branches: null }), { branches: "", tags: "v1.*" });
});

test("an identical request joins the queued run, another one does not", async (t) => {
  const { ok, sql, service } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  /** @param {object} body */
  const post = (body) => ok("POST", "/acme/app/upstream/syncs", body);
  const first = await post({ direction: "pull" });
  assert.deepEqual(await post({ direction: "pull", ref_globs: { branches: "*", tags: "*" } }), first);
  const many = await Promise.all(Array.from({ length: 8 }, () => post({ direction: "push" })));
  assert.equal(new Set(many.map(({ id }) => id)).size, 1, "also when they come at once");
  assert.notEqual(many[0].id, first.id);
  assert.notEqual((await post({ direction: "pull", ref_globs: { branches: "*" } })).id, first.id);
  await service.tick();
  const [{ status }] = await sql("SELECT status FROM refsync.syncs WHERE id = $1", [first.id]);
  assert.equal(status, "queued", "it waits for its second attempt");
  assert.equal((await post({ direction: "pull" })).id, first.id, "which can be joined, too");
});

test("a repository has one run in progress, whoever claims; others go on", async (t) => {
  const { url: slow, hangUp } = await silentServer(t);
  const { ok, service, sql } = await start(t);
  for (const name of ["a", "b"]) {
    await ok("POST", "/acme/repos", { name, upstream: { url: slow } });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "push" });
  }
  const ticks = [service.tick(), service.tick(), service.tick(), service.tick()];
  const finished = await Promise.all(
    ticks.map((tick) => Promise.race([tick, new Promise((resolve) => setTimeout(resolve, 1500, "runs"))])),
  );
  assert.deepEqual(finished.sort(), [false, false, "runs", "runs"]);
  const running = await sql(
    "SELECT repo_id, count(*)::int AS runs FROM refsync.syncs WHERE status = 'in_progress' GROUP BY 1",
  );
  assert.deepEqual(
    running.map(({ runs }) => runs),
    [1, 1],
  );
  hangUp();
  await Promise.all(ticks);
});

test("a run whose worker died is taken up again as the next attempt, and the dead worker's answer does not count", async (t) => {
  const { held, id, tick: first, ...s } = await running(t);
  const run = () => s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([(await run()).status, (await run()).attempt], ["in_progress", 1]);
  assert.equal(await s.service.tick(), false, "its lease holds");
  await expire(s.sql);
  const second = s.service.tick();
  await eventually(() => held.length === 2);
  assert.deepEqual([(await run()).status, (await run()).attempt], ["in_progress", 2]);

  // The first worker ends now. If the run were still its own, it would fail for good.
  present(held[0]).response.writeHead(404).end();
  await first;
  assert.deepEqual([(await run()).status, (await run()).attempt], ["in_progress", 2]);
  present(held[1]).response.writeHead(404).end();
  await second;
  const failed = await run();
  assert.deepEqual([failed.status, failed.attempt, failed.stats], ["failed", 2, null]);
  assert.ok(failed.error);
});

test("a run that keeps losing its worker fails in the end", async (t) => {
  const { ok, sql, service } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await sql(
    "UPDATE refsync.syncs SET status = 'in_progress', attempt = 10, lease = 'dead', lease_expires_at = now(), started_at = now()",
  );
  assert.equal(await service.tick(), false);
  const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([run.status, run.attempt], ["failed", 10]);
  assert.match(run.error, /worker was lost/);
});

test("an upstream that refuses the connection is tried three times, with growing waits, and then failed", async (t) => {
  const { ok, sql, service, lines } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const run = () => ok("GET", `/acme/app/upstream/syncs/${id}`);
  for (const { attempt, least, most } of [
    { attempt: 2, least: 1, most: 3 },
    { attempt: 3, least: 4, most: 12 },
  ]) {
    assert.equal(await service.tick(), true);
    const waiting = await run();
    assert.deepEqual(
      [waiting.status, waiting.attempt, waiting.error, waiting.started_at],
      ["queued", attempt, null, null],
    );
    const [{ wait, at }] = await sql(
      "SELECT extract(epoch FROM run_after - now())::float8 AS wait, extract(epoch FROM run_after)::float8 AS at FROM refsync.syncs",
    );
    assert.ok(wait > least - 1 && wait <= most, `${wait} s before attempt ${attempt}`);
    assert.ok(Math.abs(Date.parse(waiting.next_attempt_at) / 1000 - at) < 1, `${waiting.next_attempt_at}, not ${at}`);
    assert.equal(await service.tick(), false, "not before its wait is over");
    await ready(sql);
  }
  assert.equal(await service.tick(), true);
  const failed = await run();
  assert.deepEqual([failed.status, failed.attempt, failed.stats], ["failed", 3, null]);
  assert.ok(!("next_attempt_at" in failed), "there is no next attempt");
  assert.match(failed.error, /127\.0\.0\.1:9/);
  assert.ok(failed.finished_at);
  assert.equal(lines.length, 3, "the log has each attempt");
});

test("an upstream that is no Git server, or wants a password, fails at once with a clear error", async (t) => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/private")) response.writeHead(401, { "www-authenticate": "Basic" }).end();
    else response.writeHead(200, { "content-type": "text/html" }).end("<h1>hello</h1>");
  });
  const port = await listen(server);
  t.after(() => server.close());
  const { ok, service } = await start(t);
  for (const { name, message } of [
    { name: "page", message: /git/i },
    { name: "private", message: /password|credential|401|auth/i },
  ]) {
    await ok("POST", "/acme/repos", { name, upstream: { url: `http://127.0.0.1:${port}/${name}` } });
    const { id } = await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
    await service.tick();
    const run = await ok("GET", `/acme/${name}/upstream/syncs/${id}`);
    assert.deepEqual([run.status, run.attempt], ["failed", 1]);
    assert.match(run.error, message);
  }
  await ok("GET", "/acme/repos");
});

test("an upstream that was removed, and a credential that cannot be read, fail the run in words", async (t) => {
  const { ok, sql, service } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("PATCH", "/acme/app", { upstream: null });
  await service.tick();
  await ok("PATCH", "/acme/app", { upstream: { url, auth: { kind: "token", token: "t" } } });
  await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await sql("UPDATE refsync.repos SET upstream_auth = 'v1.AAAA'");
  await service.tick();
  const { syncs } = await ok("GET", "/acme/app/upstream/syncs");
  assert.deepEqual(
    syncs.map((/** @type {SyncRun} */ run) => run.status),
    ["failed", "failed"],
  );
  assert.match(syncs[0].error, /secret key/);
  assert.match(syncs[1].error, /upstream was removed/);
});

test("the organisation with less in progress comes first", async (t) => {
  const { ok, service, sql } = await start(t);
  for (const name of ["a", "b", "c"]) {
    await ok("POST", "/acme/repos", { name, upstream: { url } });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
  }
  await service.ensureOrganization("small");
  const key = await service.createApiKey("small", "admin");
  await ok("POST", "/small/repos", { name: "d", upstream: { url } }, { key });
  const late = await ok("POST", "/small/d/upstream/syncs", { direction: "pull" }, { key });
  await sql(
    `UPDATE refsync.syncs SET status = 'in_progress', lease = 'busy', lease_expires_at = now() + interval '1 h'
     WHERE seq = (SELECT min(seq) FROM refsync.syncs)`,
  );
  await service.tick();
  const [{ attempt }] = await sql("SELECT attempt FROM refsync.syncs WHERE id = $1", [late.id]);
  assert.equal(attempt, 2, "it was tried before acme's older ones");
});

test("runs are listed newest first, by pages", async (t) => {
  const { ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const ids = [];
  for (const tags of ["1", "2", "3", "4", "5"]) {
    ids.unshift((await ok("POST", "/acme/app/upstream/syncs", { direction: "pull", ref_globs: { tags } })).id);
  }
  const seen = [];
  let cursor = "";
  for (let pages = 0; pages < 3; pages += 1) {
    const page = await ok("GET", `/acme/app/upstream/syncs?limit=2${cursor}`);
    seen.push(...page.syncs.map((/** @type {SyncRun} */ run) => run.id));
    assert.equal(page.has_more, page.next_cursor !== null);
    cursor = `&cursor=${page.next_cursor}`;
  }
  assert.deepEqual(seen, ids);
});

test("workers that claim at once never share a repository or a run", async (t) => {
  const { ok, service, sql } = await start(t);
  await sql("CREATE TABLE claims (sync_id text, attempt int, others int)");
  await sql(`CREATE OR REPLACE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $fn$ BEGIN
    IF NEW.status = 'in_progress' THEN
      INSERT INTO claims SELECT NEW.id, NEW.attempt, count(*) FROM refsync.syncs o
        WHERE o.repo_id = NEW.repo_id AND o.id <> NEW.id AND o.status = 'in_progress';
    END IF;
    RETURN NEW;
  END $fn$`);
  await sql(
    "CREATE TRIGGER witness AFTER UPDATE ON refsync.syncs FOR EACH ROW WHEN (OLD.lease IS DISTINCT FROM NEW.lease) EXECUTE FUNCTION witness()",
  );
  for (const name of ["a", "b", "c"]) {
    await ok("POST", "/acme/repos", { name, upstream: { url } });
    for (const tags of ["1", "2", "3", "4"]) {
      await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull", ref_globs: { tags } });
    }
  }
  const worker = async () => {
    for (let idle = 0; idle < 20; ) idle += (await service.tick()) ? 0 : 1;
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const claims = await sql("SELECT * FROM claims");
  await sql("DROP TABLE claims CASCADE");
  const first = claims.filter(({ attempt }) => attempt === 1);
  assert.equal(first.length, 12, "each run had its first attempt, once");
  assert.equal(new Set(first.map(({ sync_id }) => sync_id)).size, 12);
  assert.deepEqual(
    claims.filter(({ others }) => others > 0),
    [],
  );
});

test("services that start together migrate once, and a newer schema is refused", async (t) => {
  const { service, sql } = await start(t);
  const applied = async () =>
    (await sql("SELECT version FROM refsync.schema_migrations ORDER BY version")).map((row) => row.version);
  const once = await applied();
  assert.ok(once.length > 5);
  await sql("DROP SCHEMA refsync CASCADE");
  await Promise.all(Array.from({ length: 6 }, () => service.migrate()));
  assert.deepEqual(await applied(), once);
  await sql("INSERT INTO refsync.schema_migrations (version) VALUES (999)");
  await assert.rejects(service.migrate(), /newer refsync/);
});

for (const { name, limits, total, most } of [
  { name: "in the whole", limits: { maxRuns: 3 }, total: 3, most: 3 },
  { name: "of one organisation", limits: { maxRunsPerOrganization: 2 }, total: 4, most: 2 },
  { name: "of both kinds", limits: { maxRuns: 3, maxRunsPerOrganization: 2 }, total: 3, most: 2 },
]) {
  test(`a limit ${name} holds, however many workers claim at once`, async (t) => {
    const { url, hangUp } = await silentServer(t);
    const { ok, service, sql } = await start(t, { service: limits });
    await service.ensureOrganization("small");
    const key = await service.createApiKey("small", "admin");
    for (const { org, ...options } of [{ org: "acme" }, { org: "small", key }]) {
      for (const name of ["a", "b", "c", "d", "e", "f"]) {
        await ok("POST", `/${org}/repos`, { name, upstream: { url } }, options);
        await ok("POST", `/${org}/${name}/upstream/syncs`, { direction: "pull" }, options);
      }
    }
    const ticks = Array.from({ length: 10 }, () => service.tick());
    const running = () =>
      sql(`SELECT r.org_id, count(*)::int AS runs FROM refsync.syncs s JOIN refsync.repos r ON r.id = s.repo_id
           WHERE s.status = 'in_progress' GROUP BY 1`);
    let idle = 0;
    for (const tick of ticks) tick.then((worked) => (idle += worked ? 0 : 1));
    await eventually(() => idle === ticks.length - total);
    const counts = (await running()).map(({ runs }) => runs);
    assert.equal(
      counts.reduce((sum, runs) => sum + runs, 0),
      total,
    );
    assert.ok(Math.max(...counts) <= most, `${counts}`);
    // One run loses its worker. It keeps its place, so the next worker takes this run and no other.
    await sql(`UPDATE refsync.syncs SET lease_expires_at = now() - interval '1 s'
               WHERE seq = (SELECT min(seq) FROM refsync.syncs WHERE status = 'in_progress')`);
    const taken = service.tick();
    const attempts = () => sql("SELECT max(attempt) AS attempt FROM refsync.syncs WHERE status = 'in_progress'");
    await eventually(async () => (await attempts())[0].attempt === 2);
    hangUp();
    await service.stop();
    await Promise.all([...ticks, taken]);
  });
}

test("a place that became free is taken again", async (t) => {
  const { ok, service } = await start(t, { service: { maxRuns: 1, maxRunsPerOrganization: 1 } });
  for (const name of ["a", "b", "c"]) {
    await ok("POST", "/acme/repos", { name, upstream: { url } });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
  }
  for (const _ of ["a", "b", "c"]) assert.equal(await service.tick(), true);
  assert.equal(await service.tick(), false);
});
