import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { PGlite } from "@electric-sql/pglite";

import { backupAndRestore, MEMORY_LIMIT } from "../../../../benches/backup.mjs";
import { present } from "../../../support/present.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { bin, folder, git, refsync, serve, serveWith, terminal, worker, workTree } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo } from "refsync"
 * @import { Json } from "../../../support/json.mjs"
 */

/** @param {Repo} repo */
const isDamaged = ({ damaged }) => damaged !== undefined;
/** @param {Repo} repo */
const nameOf = ({ name }) => name;

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
 * @param {import("../support.mjs").Served} s
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

/**
 * Every file of a folder, with its content and the time of its last change.
 *
 * @param {string} path
 */
function contents(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  /** @param {string} name */
  const hash = (name) => createHash("sha256").update(readFileSync(name)).digest("hex");
  return names.map((name) => `${name} ${hash(name)} ${statSync(name).mtimeMs}`);
}

/**
 * A backup of a service with four repositories, and the ids of these by name.
 *
 * @param {TestContext} t
 */
async function backedUp(t) {
  const { data, s, tree, run } = await filled(t);
  const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
  await s.api("POST", "/repos", { name: "second", upstream });
  const { body } = await s.api("POST", "/second/upstream/syncs", { direction: "pull" });
  assert.equal((await terminal(s, body.id, "second")).status, "completed");
  const { repos } = (await s.api("GET", "/repos")).body;
  /** @type {Record<string, string>} */
  const ids = Object.fromEntries(repos.map((/** @type {Repo} */ { name, id }) => [name, id]));
  const before = await state(s, tree);
  await s.stop();
  // One pack each, as after Git's housekeeping.
  for (const id of Object.values(ids)) await git(join(data, "repositories", `${id}.git`), "gc", "--quiet");
  const backup = join(folder(t), "backup");
  const made = await refsync(["backup", backup, "--data", data]);
  assert.equal(made.status, 0, made.stderr);
  return { data, backup, ids, before, tree, run };
}

test("--check tells that a backup is whole, and writes nothing", async (t) => {
  const { backup } = await backedUp(t);
  const was = contents(backup);
  const cwd = folder(t);
  const { status, stdout, stderr } = await refsync(["restore", "--check", backup, "--data", join(cwd, "data")]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /is whole: \d+ rows and 4 repositories, as of 20/);
  // Paths as they are typed.
  const typed = await refsync(["restore", "--check", "./backup"], {}, dirname(backup));
  assert.equal(typed.status, 0, typed.stderr);
  assert.deepEqual(contents(backup), was);
  assert.equal(existsSync(join(cwd, "data")), false);
  const restored = await refsync(["restore", "./backup", "--data", "./data"], {}, dirname(backup));
  assert.equal(restored.status, 0, restored.stderr);
  const again = await refsync(["backup", "./again", "--data", "./data"], {}, dirname(backup));
  assert.equal(again.status, 0, again.stderr);
});

/** @param {string} path */
const packOf = (path) => {
  const pack = join(path, "objects/pack");
  return join(pack, present(readdirSync(pack).find((name) => name.endsWith(".pack"))));
};
/**
 * @param {string} file
 * @param {(bytes: Buffer) => Buffer} change
 */
const changed = (file, change) => {
  const bytes = readFileSync(file);
  rmSync(file);
  writeFileSync(file, change(bytes));
};
/** @param {Buffer} bytes */
const garbled = (bytes) => bytes.fill("X", bytes.length >> 1, (bytes.length >> 1) + 8);
/**
 * What is done to a backup, what `--check` says, and whether `restore` refuses it too or restores all but that repository.
 *
 * @type {Record<string, [spoil: (at: string, repo: string) => void, says: RegExp, isOneRepository?: boolean]>}
 */
const spoilt = {
  "the rows are cut short": [
    (at) => changed(join(at, "database.jsonl"), (b) => b.subarray(0, -20)),
    /database\.jsonl: has \d+ bytes, not the \d+/,
  ],
  "a row was changed": [
    (at) =>
      changed(join(at, "database.jsonl"), (b) => Buffer.from(b.toString().replace('"name":"app"', '"name":"apq"'))),
    /database\.jsonl: was changed since it was written/,
  ],
  "the rows are gone": [(at) => rmSync(join(at, "database.jsonl")), /database\.jsonl: is missing/],
  "the list of repositories is gone": [
    (at) => rmSync(join(at, "repositories.jsonl")),
    /repositories\.jsonl: is missing/,
  ],
  "the secret key is gone": [(at) => rmSync(join(at, "secret.key")), /secret\.key: is missing/],
  "the manifest is cut short": [
    (at) => changed(join(at, "backup.json"), (b) => b.subarray(0, 100)),
    /backup\.json: is damaged/,
  ],
  "the manifest is gone": [(at) => rmSync(join(at, "backup.json")), /is not a backup, or one that was not finished/],
  "a repository is gone": [
    (_, repo) => rmSync(repo, { recursive: true }),
    /default\/app .*: its folder is missing/,
    true,
  ],
  "a ref is gone": [
    (_, repo) => changed(join(repo, "packed-refs"), (b) => Buffer.from(b.toString().replace(/^.*release\/1\n/m, ""))),
    /default\/app .*: it has 3 refs, and not the 4/,
    true,
  ],
  "a pack was changed": [(_, repo) => changed(packOf(repo), garbled), /default\/app .*: /, true],
};
test("--check finds whatever is not as it was written; restore leaves out a repository, and refuses anything else", async (t) => {
  const { backup, ids } = await backedUp(t);
  for (const [what, [spoil, says, isOneRepository = false]] of Object.entries(spoilt)) {
    const copy = join(folder(t), "copy");
    cpSync(backup, copy, { recursive: true });
    spoil(copy, join(copy, "repositories", `${ids.app}.git`));
    const checked = await refsync(["restore", "--check", copy]);
    assert.equal(checked.status, 1, what);
    assert.match(checked.stderr, says, what);
    const data = join(folder(t), "data");
    const restored = await refsync(["restore", copy, "--data", data]);
    if (isOneRepository) {
      assert.equal(restored.status, 5, `${what}: ${restored.stderr}`);
      assert.match(restored.stderr, /damaged: repository default\/app .*its copy in the backup is damaged/, what);
      for (const name of ["up", "second", "empty"])
        assert.ok(existsSync(join(data, "repositories", `${ids[name]}.git`)), name);
    } else {
      assert.equal(restored.status, 1, what);
      assert.match(restored.stderr, says, what);
      assert.equal(existsSync(data), false, `${what}: nothing is left`);
    }
  }
});

test("a backup that is killed is not taken for a whole one", async (t) => {
  const { data } = await backedUp(t);
  const place = join(folder(t), "killed");
  const child = spawn(process.execPath, [bin, "backup", place, "--data", data], { stdio: "ignore" });
  while (!existsSync(join(place, "repositories.jsonl"))) await delay(2);
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(existsSync(join(place, "backup.json")), false, "it was killed before its end");
  for (const flags of [["--check"], ["--data", join(folder(t), "data")]]) {
    const { status, stderr } = await refsync(["restore", place, ...flags]);
    assert.equal(status, 1);
    assert.match(stderr, /is not a backup, or one that was not finished/);
  }
  assert.match(
    (await refsync(["backup", place, "--data", data])).stderr,
    /holds a backup that was not finished; delete that folder/,
  );
  assert.equal(
    (await refsync(["backup", join(folder(t), "again"), "--data", data])).status,
    0,
    "nothing keeps the data folder",
  );
});

test("a restore that fails leaves nothing behind, on either database", async (t) => {
  const { backup } = await backedUp(t);
  // Format 1 has no hashes, so that this row is found when it is written: long after the first ones.
  const rows = readFileSync(join(backup, "database.jsonl"), "utf8").replace(
    '"status":"completed"',
    '"status":"nonsense"',
  );
  writeFileSync(join(backup, "database.jsonl"), rows);
  const { schema } = JSON.parse(readFileSync(join(backup, "backup.json"), "utf8"));
  writeFileSync(join(backup, "backup.json"), JSON.stringify({ format: 1, schema, created_at: "2026-01-01T00:00:00Z" }));
  const place = folder(t);
  const data = join(place, "data");
  const embedded = await refsync(["restore", backup, "--data", data]);
  assert.equal(embedded.status, 1);
  assert.match(embedded.stderr, /syncs_status_check/);
  assert.deepEqual(readdirSync(place), []);
  const server = await postgres();
  t.after(() => server.stop());
  const env = { REFSYNC_DATABASE_URL: server.url };
  const shared = await refsync(["restore", backup, "--data", data], env);
  assert.equal(shared.status, 1);
  assert.match(shared.stderr, /syncs_status_check/);
  assert.deepEqual(readdirSync(place), []);
  assert.doesNotMatch(await server.dump("--schema-only"), /refsync/, "the schema goes with the rows");
  // The same database and folder serve for the next attempt.
  writeFileSync(join(backup, "database.jsonl"), rows.replace('"status":"nonsense"', '"status":"completed"'));
  assert.equal((await refsync(["restore", backup, "--data", data], env)).status, 0);
});

test("a restore that is killed is never served, and says what to delete", async (t) => {
  const { backup } = await backedUp(t);
  const data = join(folder(t), "data");
  const child = spawn(process.execPath, [bin, "restore", backup, "--data", data], { stdio: "ignore" });
  while (!existsSync(join(data, "database"))) await delay(5);
  child.kill("SIGKILL");
  await once(child, "close");
  const served = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(served.status, 1);
  assert.match(served.stderr, new RegExp(`${data}: a restore into this data folder did not finish. Delete the folder`));
  const again = await refsync(["restore", backup, "--data", data]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /holds a restore that did not finish; delete that folder, and restore again/);
  rmSync(data, { recursive: true });
  assert.equal((await refsync(["restore", backup, "--data", data])).status, 0);
});

for (const kind of ["the embedded database", "PostgreSQL"]) {
  test(`damaged repositories do not stop a backup, which names them; the others are restored (${kind})`, async (t) => {
    const { data, ids, before, tree } = await backedUp(t);
    /** @param {string} name */
    const repository = (name) => join(data, "repositories", `${ids[name]}.git`);
    /** @type {NodeJS.ProcessEnv} */
    const env = {};
    if (kind === "PostgreSQL") {
      const server = await postgres();
      t.after(() => server.stop());
      env.REFSYNC_DATABASE_URL = server.url;
      const first = join(folder(t), "first");
      assert.equal((await refsync(["backup", first, "--data", data])).status, 0);
      rmSync(data, { recursive: true });
      assert.equal((await refsync(["restore", first, "--data", data], env)).status, 0);
    }
    // Of one everything is gone, of the other a file that only main needs.
    rmSync(repository("app"), { recursive: true });
    const main = await git(repository("second"), "rev-parse", "main");
    const pack = readFileSync(packOf(repository("second")));
    rmSync(join(repository("second"), "objects/pack"), { recursive: true });
    execFileSync("git", ["--git-dir", repository("second"), "unpack-objects", "-q"], { input: pack });
    rmSync(join(repository("second"), "objects", main.slice(0, 2), main.slice(2)));

    const backup = join(folder(t), "backup");
    const made = await refsync(["backup", backup, "--data", data], env);
    assert.equal(made.status, 5, made.stderr);
    assert.match(made.stdout, /and 2 repositories are in/);
    assert.match(made.stderr, new RegExp(`damaged: repository default/app \\(${ids.app}\\): its folder is missing`));
    assert.match(
      made.stderr,
      new RegExp(`damaged: repository default/second .*missing object ${main}.*but for \\d refs that are whole`),
    );
    const manifest = JSON.parse(readFileSync(join(backup, "backup.json"), "utf8"));
    assert.deepEqual(
      manifest.damaged.map((/** @type {Json} */ { name, id, refs }) => [name, id, refs > 0]),
      [
        ["default/app", ids.app, false],
        ["default/second", ids.second, true],
      ],
    );
    const checked = await refsync(["restore", "--check", backup]);
    assert.equal(checked.status, 5, checked.stderr);
    assert.match(checked.stderr, /damaged: repository default\/app/);

    const other = join(folder(t), "data");
    const restored = await refsync(["restore", backup, "--data", other]);
    assert.equal(restored.status, 5, restored.stderr);
    assert.match(restored.stdout, /and 2 repositories are restored/);
    assert.match(restored.stderr, /damaged: repository default\/app.*\n.*damaged: repository default\/second/);
    const s = await serve(t, other, "--allow-private-network");
    const shown = (await s.api("GET", "/repos")).body.repos;
    assert.deepEqual(shown.filter(isDamaged).map(nameOf), ["second", "app"]);
    for (const name of ["up", "empty"]) {
      assert.equal(await git(tree, "ls-remote", s.remote(name)), before.refs[name]);
    }
    // Each is whole again after a pull, from the upstream that is here now.
    for (const name of ["app", "second"]) {
      const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
      await s.api("PATCH", `/${name}`, { upstream });
      const { body } = await s.api("POST", `/${name}/upstream/syncs`, { direction: "pull" });
      const run = await terminal(s, body.id, name);
      assert.equal(run.status, "completed", run.error ?? "");
      assert.equal((await s.api("GET", `/${name}`)).body.damaged, undefined);
      assert.equal(await git(tree, "ls-remote", s.remote(name)), await git(tree, "ls-remote", s.remote("up")));
    }
  });
}

test("the service shows what a backup found to be damaged", async (t) => {
  const { data, ids } = await backedUp(t);
  const path = join(data, "repositories", `${ids.app}.git`);
  changed(packOf(path), garbled);
  assert.equal((await refsync(["backup", join(folder(t), "backup"), "--data", data])).status, 5);
  const s = await serve(t, data);
  const { repos } = (await s.api("GET", "/repos")).body;
  assert.deepEqual(repos.filter(isDamaged).map(nameOf), ["app"]);
});

/**
 * The run of an earlier version as it is shown now: with how many refs ended in each way.
 *
 * @param {Json} run
 * @returns {Json}
 */
function counted(run) {
  if (run.stats === null) return run;
  const counts = { updated: 0, unchanged: 0, filtered: 0, rejected: 0 };
  for (const { outcome } of run.stats.refs) counts[/** @type {keyof typeof counts} */ (outcome)] += 1;
  return { ...run, counts };
}

for (const kind of ["the embedded database", "PostgreSQL"]) {
  test(`a backup of format 1, which an earlier version wrote, is restored into ${kind}`, async (t) => {
    const place = folder(t);
    const fixture = fileURLToPath(new URL("../../../fixtures/backup/format-1.tar.gz", import.meta.url));
    execFileSync("tar", ["--extract", "--gzip", "--file", fixture, "--directory", place]);
    const facts = JSON.parse(readFileSync(join(place, "facts.json"), "utf8"));
    /** @type {NodeJS.ProcessEnv} */
    const env = {};
    if (kind === "PostgreSQL") {
      const server = await postgres();
      t.after(() => server.stop());
      env.REFSYNC_DATABASE_URL = server.url;
    }
    const checked = await refsync(["restore", "--check", join(place, "backup")]);
    assert.equal(checked.status, 0, checked.stderr);
    const data = join(folder(t), "data");
    const restored = await refsync(["restore", join(place, "backup"), "--data", data], env);
    assert.equal(restored.status, 0, restored.stderr);
    const s = await serveWith(t, env, data, "--no-worker");
    assert.equal(s.apiKey, facts.apiKey);
    for (const { upstream } of facts.repos)
      if (upstream?.latest_sync) upstream.latest_sync = counted(upstream.latest_sync);
    assert.deepEqual((await s.api("GET", "/repos")).body.repos, facts.repos);
    for (const [name, run] of Object.entries(facts.runs)) {
      assert.deepEqual((await s.api("GET", `/${name}/upstream/syncs/${run.id}`)).body, counted(run));
    }
    for (const [name, refs] of Object.entries(facts.refs)) {
      const listed = await git(place, "ls-remote", "--refs", s.remote(name));
      const found = Object.fromEntries(
        listed
          .split("\n")
          .filter(Boolean)
          .map((line) => line.split("\t").reverse()),
      );
      assert.deepEqual(found, refs, name);
    }
  });
}

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

const fixture = readFileSync(new URL("../../../fixtures/upgrade/schema-5.sql", import.meta.url), "utf8");
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
