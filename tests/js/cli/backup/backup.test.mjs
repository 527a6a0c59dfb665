// Backups and restores without failures.
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { backupAndRestore, MEMORY_LIMIT } from "../../../../benches/backup.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { folder, git, refsync, serve, serveWith, terminal, worker, workTree } from "../support.mjs";
import { filled, state } from "./filled.mjs";

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
  // Ids and counters continue from their old values.
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
   * @param {import("../support.mjs").Served} service
   * @param {"pull" | "push"} direction
   */
  const sync = async (service, direction) =>
    (await service.api("POST", "/app/upstream/syncs", { direction, ref_globs: { branches: "*" } })).body.id;
  const done = await terminal(s, await sync(s, "pull"));
  assert.equal(done.status, "completed", done.error ?? "");
  await working.stop();
  const queued = await sync(s, "pull");
  const was = await state(s, tree);

  // Dumps the database first and then copies the repositories, while the service runs. Commits that are pushed meanwhile
  // are then in the repositories, if not in the database.
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

test("a tenth of a large service is backed up and restored in little memory, and every row is the same", async (t) => {
  const results = await backupAndRestore({ repositories: 20, outcomes: 100_000, outcomesOfRun: 5_000 });
  for (const { name, memory } of results) {
    t.diagnostic(`${name}: ${memory.toFixed(0)} MB`);
    assert.ok(memory < MEMORY_LIMIT, `${name}: ${memory} MB`);
  }
});

test("a run with very many refs, in a row of 10 MB, goes out and in", async () => {
  await backupAndRestore({ repositories: 2, outcomes: 80_000, outcomesOfRun: 40_000 });
});
