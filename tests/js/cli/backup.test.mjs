import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PGlite } from "@electric-sql/pglite";

import { postgres } from "../../support/postgres.mjs";
import { present } from "../../support/present.mjs";
import { folder, git, refsync, serve, serveWith, terminal, worker, workTree } from "./support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo } from "refsync"
 */

/**
 * A data folder with a repository that was synced, one that is empty, and a run that waits.
 *
 * @param {TestContext} t
 */
async function filled(t) {
  const data = join(folder(t), "data");
  const s = await serve(t, data, "--allow-private-network");
  await s.api("POST", "/repos", { name: "up" });
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", s.remote("up"), "--all");
  await git(tree, "push", "--quiet", s.remote("up"), "--tags");
  const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
  await s.api("POST", "/repos", { name: "app", upstream });
  await s.api("POST", "/repos", { name: "empty", default_bookmark: "trunk" });
  const { body } = await s.api("POST", "/app/upstream/syncs", { direction: "pull" });
  const run = await terminal(s, body.id);
  assert.equal(run.status, "completed", run.error ?? "");
  return { data, s, tree, run };
}

/**
 * What must be the same afterwards.
 *
 * @param {import("./support.mjs").Served} s
 * @param {string} tree
 */
async function state(s, tree) {
  const repos = (await s.api("GET", "/repos")).body.repos;
  /** @type {Record<string, string>} */
  const refs = {};
  for (const { name } of repos) refs[name] = await git(tree, "ls-remote", s.remote(name));
  return { repos, syncs: (await s.api("GET", "/app/upstream/syncs")).body.syncs, refs, apiKey: s.apiKey };
}

test("a backup is restored into an empty folder, and into a PostgreSQL", async (t) => {
  const { data, s, tree } = await filled(t);
  const before = await state(s, tree);
  const backup = join(folder(t), "backup");
  const busy = await refsync(["backup", backup, "--data", data]);
  assert.equal(busy.status, 1);
  assert.match(busy.stderr, /uses this data folder; stop it/);
  await s.stop();
  const made = await refsync(["backup", backup, "--data", data]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /and 3 repositories are in/);
  assert.equal(statSync(backup).mode & 0o777, 0o700);
  for (const name of ["database.jsonl", "secret.key"])
    assert.equal(statSync(join(backup, name)).mode & 0o777, 0o600, name);
  assert.match((await refsync(["backup", backup, "--data", data])).stderr, /is not empty; name another folder/);

  const restored = join(folder(t), "restored");
  const done = await refsync(["restore", backup, "--data", restored]);
  assert.equal(done.status, 0, done.stderr);
  const embedded = await serve(t, restored, "--allow-private-network");
  assert.deepEqual(await state(embedded, tree), before);
  for (const name of readdirSync(join(restored, "repositories"))) {
    await git(join(restored, "repositories", name), "fsck", "--strict", "--no-dangling");
  }
  // Ids and counters go on where they were.
  assert.equal((await embedded.api("POST", "/repos", { name: "later" })).status, 201);
  const again = await embedded.api("POST", "/app/upstream/syncs", { direction: "pull", ref_globs: { tags: "v*" } });
  assert.equal(again.status, 201);
  await embedded.stop();
  assert.match((await refsync(["restore", backup, "--data", restored])).stderr, /is not empty; name another folder/);

  const server = await postgres();
  t.after(() => server.stop());
  const env = { REFSYNC_DATABASE_URL: server.url };
  const shared = join(folder(t), "shared");
  const moved = await refsync(["restore", backup, "--data", shared], env);
  assert.equal(moved.status, 0, moved.stderr);
  const onPostgres = await serveWith(t, env, shared);
  assert.deepEqual(await state(onPostgres, tree), before);
  // A PostgreSQL may be backed up while it is served.
  const second = join(folder(t), "second");
  assert.equal((await refsync(["backup", second, "--data", shared], env)).status, 0);
  assert.equal(
    readFileSync(join(second, "database.jsonl"), "utf8").split("\n").length,
    readFileSync(join(backup, "database.jsonl"), "utf8").split("\n").length,
  );
  const taken = await refsync(["restore", backup, "--data", join(folder(t), "other")], env);
  assert.match(taken.stderr, /the database is in use already/);
});

test("pg_dump and a copy of the data folder are restored into another PostgreSQL, and served", async (t) => {
  const [before, after] = await Promise.all([postgres(), postgres()]);
  t.after(() => Promise.all([before.stop(), after.stop()]));
  const data = join(folder(t), "data");
  const flags = ["--allow-private-network", "--no-worker"];
  const s = await serveWith(t, { REFSYNC_DATABASE_URL: before.url }, data, ...flags);
  const elsewhere = await serve(t, join(folder(t), "elsewhere"), "--no-worker");
  const tree = await workTree(t);
  await elsewhere.api("POST", "/repos", { name: "source" });
  await git(tree, "push", "--quiet", elsewhere.remote("source"), "--all");
  const auth = { kind: "token", token: elsewhere.apiKey };
  /** @param {string} name */
  const url = (name) => `${elsewhere.url}/default/${name}.git`;
  await s.api("POST", "/repos", { name: "app", upstream: { url: url("source"), auth, schedule: { every: "30d" } } });
  const working = await worker(t, { REFSYNC_DATABASE_URL: before.url }, "--data", data, "--allow-private-network");
  /**
   * @param {import("./support.mjs").Served} service
   * @param {"pull" | "push"} direction
   */
  const sync = async (service, direction) =>
    (await service.api("POST", "/app/upstream/syncs", { direction, ref_globs: { branches: "*" } })).body.id;
  const done = await terminal(s, await sync(s, "pull"));
  assert.equal(done.status, "completed", done.error ?? "");
  await working.stop();
  const queued = await sync(s, "pull");
  const was = await state(s, tree);

  // In this order, while it is served: what is pushed meanwhile is in the repositories, if not in the database.
  const dump = await before.dump("--schema=refsync");
  const copy = join(folder(t), "copy");
  cpSync(data, copy, { recursive: true });
  await s.api("POST", "/repos", { name: "later" });
  await s.stop();

  await after.load(dump);
  const env = { REFSYNC_DATABASE_URL: after.url };
  const restored = await serveWith(t, env, copy, ...flags);
  assert.deepEqual(await state(restored, tree), was, "the run that waits is there, too");
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "three");
  await git(tree, "push", "--quiet", elsewhere.remote("source"), "main");
  await worker(t, env, "--data", copy, "--allow-private-network");
  const run = await terminal(restored, queued);
  assert.equal(run.status, "completed", `the credential opens, and the run goes on: ${run.error}`);
  assert.equal(
    await git(tree, "ls-remote", restored.remote("app"), "refs/heads/*"),
    await git(tree, "ls-remote", elsewhere.remote("source"), "refs/heads/*"),
  );
  assert.equal((await restored.api("POST", "/repos", { name: "more" })).status, 201, "ids and counters go on");
  assert.equal((await terminal(restored, await sync(restored, "push"))).status, "completed");
});

test("what is no whole backup is refused, and so is one of a newer schema", async (t) => {
  const place = folder(t);
  const restore = async () => (await refsync(["restore", place, "--data", join(folder(t), "data")])).stderr;
  assert.match(await restore(), /is not a backup, or one that was not finished/);
  writeFileSync(join(place, "database.jsonl"), "");
  writeFileSync(join(place, "backup.json"), '{"format":1,"schema":999}');
  assert.match(await restore(), /schema 999, which this refsync does not know; use a newer refsync/);
  writeFileSync(join(place, "backup.json"), '{"format":2}');
  assert.match(await restore(), /newer refsync/);
});

const fixture = readFileSync(new URL("../../fixtures/upgrade/schema-5.sql", import.meta.url), "utf8");
const facts = JSON.parse(fixture.slice(3, fixture.indexOf("\n")));

/**
 * The data folder that a version with schema 5 left.
 *
 * @param {TestContext} t
 */
async function folderOfSchema5(t) {
  const data = join(folder(t), "data");
  for (const id of Object.values(facts.repos)) {
    const path = join(data, "repositories", `${id}.git`);
    mkdirSync(path, { recursive: true });
    await git(path, "init", "--quiet", "--bare", "--initial-branch=main");
  }
  writeFileSync(join(data, "secret.key"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
  writeFileSync(join(data, "api-key"), `${facts.apiKey}\n`, { mode: 0o600 });
  const database = new PGlite(join(data, "database"));
  await database.exec(fixture);
  await database.close();
  return data;
}

test("a data folder of schema 5 opens, and everything in it is there and works", async (t) => {
  const data = await folderOfSchema5(t);
  const s = await serve(t, data, "--allow-private-network");
  assert.equal(s.apiKey, facts.apiKey, "its key is still good");
  const { repos } = (await s.api("GET", "/repos")).body;
  assert.deepEqual(
    repos.map((/** @type {Repo} */ { id, name }) => [id, name]),
    [
      [facts.repos.app, "app"],
      [facts.repos.source, "source"],
    ],
  );
  const [{ tags, upstream }] = repos;
  assert.deepEqual(tags, { team: "core" });
  assert.deepEqual([upstream.auth_kind, upstream.schedule, upstream.paused_at], ["token", null, null]);
  /** @param {string} id */
  const show = async (id) => (await s.api("GET", `/app/upstream/syncs/${id}`)).body;
  assert.equal((await show(facts.runs.completed)).status, "completed");
  assert.match((await show(facts.runs.failed)).error, /refused the user name and password or token/);
  // What was queued is worked: with the stored credential, which was read, against an upstream that is gone.
  const queued = await terminal(s, facts.runs.queued);
  assert.match(present(queued.error), /ECONNREFUSED|refused/);
  assert.equal((await s.api("GET", "/webhook-targets")).body.webhook_targets.length, 1);
  const schedule = { every: "15m" };
  const patched = await s.api("PATCH", "/app", { upstream: { url: upstream.url, schedule } });
  assert.equal(patched.body.upstream.schedule.every, "15m", "what is new works there, too");
  assert.equal(await s.stop(), 0);
});

test("a data folder that a newer version has used is refused, and left as it is", async (t) => {
  const data = await folderOfSchema5(t);
  const database = new PGlite(join(data, "database"));
  await database.exec("INSERT INTO refsync.schema_migrations (version) VALUES (998)");
  await database.close();
  const refused = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /schema 998.*it was used with a newer refsync/);
  assert.equal(existsSync(join(data, "lock")), false);
});
