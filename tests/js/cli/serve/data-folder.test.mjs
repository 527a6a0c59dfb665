// Tests `refsync serve` with a data folder that has lost a part of itself, or that belongs to another database.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { PGlite } from "@electric-sql/pglite";

import { present } from "../../../support/present.mjs";
import { spawnForeign } from "../../../support/process/namespace.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { bin, folder, git, refsync, serve, serveWith, terminal, workTree } from "../support.mjs";

/** @import { TestContext } from "node:test" */

/** Two data folders of stopped services. Both have a repository with a push, and a stored credential. */
let used = "";
let other = "";
/** The files of the table of repositories and its index in the database's folder. */
const kept = { table: "", index: "" };
/** @type {(() => unknown)[]} */
const ends = [];
before(async () => {
  // The only parts of a test that the helpers need.
  const t = /** @type {TestContext} */ (
    /** @type {unknown} */ ({ after: (/** @type {() => unknown} */ end) => ends.push(end) })
  );
  /** @param {string} name */
  const make = async (name) => {
    const data = join(folder(t), "data");
    const s = await serve(t, data, "--no-worker");
    const auth = { kind: "token", token: "a-token" };
    await s.api("POST", "/repos", { name, upstream: { url: "https://git.example.com/x.git", auth } });
    await git(await workTree(t), "push", "--quiet", s.remote(name), "main");
    assert.equal(await s.stop(), 0);
    return data;
  };
  [used, other] = [await make("app"), await make("other")];
  const database = new PGlite(join(used, "database"));
  /** @type {{ rows: { path: string }[] }} */
  const { rows } = await database.query("SELECT pg_relation_filepath('refsync.repos') AS path");
  kept.table = present(rows[0]).path;
  /** @type {{ rows: { path: string }[] }} */
  const { rows: index } = await database.query("SELECT pg_relation_filepath('refsync.repos_pkey') AS path");
  kept.index = present(index[0]).path;
  await database.close();
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

/**
 * Every file of a data folder with its content. The file that the kernel locks is left out. For a database, only its
 * existence counts, because PostgreSQL writes into it when it is opened.
 *
 * @param {string} path
 */
function contents(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(path.length + 1)).sort();
  const whole = names.filter((name) => name !== ".lock" && !name.startsWith("database/"));
  /** @param {string} name */
  const hash = (name) =>
    createHash("sha256")
      .update(readFileSync(join(path, name)))
      .digest("hex");
  return {
    ...Object.fromEntries(whole.map((name) => [name, hash(name)])),
    database: existsSync(join(path, "database")),
  };
}

/** @typedef {(data: string) => void} Change A change to a data folder. */

/** @type {(name: string) => Change} */
const remove = (name) => (data) => rmSync(join(data, name), { recursive: true });
/** @type {(name: string) => Change} */
const swap = (name) => (data) => {
  rmSync(join(data, name), { recursive: true });
  cpSync(join(other, name), join(data, name), { recursive: true });
};
/** @type {(name: string) => Change} */
const empty = (name) => (data) => {
  rmSync(join(data, name), { recursive: true });
  mkdirSync(join(data, name));
};
/** @type {(name: () => string, bytes: number) => Change} */
const cut = (name, bytes) => (data) => truncateSync(join(data, name()), bytes);
/** @type {(name: string, text: string) => Change} */
const write = (name, text) => (data) => writeFileSync(join(data, name), text);
const restoreIt = /restore a backup into a new folder: refsync restore BACKUP --data NEW_FOLDER/;

/** @type {Record<string, [damage: Change, ...says: RegExp[]]>} */
const damages = {
  "the database is gone": [remove("database"), /the embedded database is missing/, restoreIt],
  "the database is gone, and what says that there was one": [
    (data) => {
      remove("database")(data);
      remove("data-folder.json")(data);
    },
    /the embedded database is missing/,
    restoreIt,
  ],
  "the database's folder is empty": [empty("database"), /the embedded database is missing/, restoreIt],
  "PG_VERSION is gone": [remove("database/PG_VERSION"), /its file PG_VERSION is missing/, restoreIt],
  "pg_control is cut short": [
    cut(() => "database/global/pg_control", 100),
    /cannot be opened: .*"global\/pg_control": read 100/,
    restoreIt,
  ],
  "pg_control is gone": [remove("database/global/pg_control"), /could not open file "global\/pg_control"/, restoreIt],
  "the database is of another PostgreSQL": [
    write("database/PG_VERSION", "17\n"),
    /initialized by PostgreSQL version 17/,
    /The installed @electric-sql\/pglite is PostgreSQL 18.*Install the version of it that wrote this folder/,
  ],
  "the write-ahead log is gone": [
    remove("database/pg_wal"),
    /required WAL directory "pg_wal" does not exist/,
    restoreIt,
  ],
  "the tables are gone": [remove("database/base"), /database subdirectory "base\/5" is missing/, restoreIt],
  "the catalogue is cut short": [cut(() => "database/base/5/1259", 8192), /cannot be opened/, restoreIt],
  "a table is cut short": [cut(() => `database/${kept.table}`, 0), /damaged: table repos/, restoreIt],
  "an index is cut short": [cut(() => `database/${kept.index}`, 0), /damaged: table repos/, restoreIt],
  "the repositories are gone": [
    remove("repositories"),
    /knows 1 hosted repositories, and none of them is there/,
    restoreIt,
  ],
  "the repositories' volume is not mounted": [
    empty("repositories"),
    /none of them is there.*is its volume mounted/,
    restoreIt,
  ],
  "the secret key is gone": [remove("secret.key"), /secret\.key: is missing.*--accept-lost-key/, /credentials/],
  "the database is another service's": [
    swap("database"),
    /belongs to the database svc_\w+ .*the database that was opened is svc_/,
    /delete/,
  ],
  "the repositories are another service's": [swap("repositories"), /none of them is there/, restoreIt],
  "the database is a PostgreSQL": [
    (data) =>
      writeFileSync(
        join(data, "data-folder.json"),
        readFileSync(join(data, "data-folder.json"), "utf8").replace("embedded", "postgres"),
      ),
    /the database of this data folder is a PostgreSQL/,
    /--database/,
  ],
  "the marker is damaged": [write("data-folder.json", "{"), /data-folder\.json: is damaged/, /delete this file/],
  "the marker is of a newer version": [
    write("data-folder.json", '{"format":2}'),
    /a newer refsync wrote it/,
    /use that one/,
  ],
};
for (const [name, [damage, ...says]] of Object.entries(damages)) {
  test(`${name}: it does not start, says what to do, and changes nothing`, async (t) => {
    const data = join(folder(t), "data");
    cpSync(used, data, { recursive: true });
    damage(data);
    const was = contents(data);
    const { status, stderr } = await refsync(["serve", "--port", "0", "--data", data]);
    assert.equal(status, 1, stderr);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.ok(stderr.includes(data), "it names the place");
    for (const part of says) assert.match(stderr, part);
    assert.doesNotMatch(stderr, /Aborted|ASSERTIONS|ENOENT/);
    assert.deepEqual(contents(data), was);
  });
}

test("what is lost for good may be accepted: the repositories, and the secret key", async (t) => {
  const data = join(folder(t), "data");
  cpSync(used, data, { recursive: true });
  rmSync(join(data, "repositories"), { recursive: true });
  const withoutRepositories = await serve(t, data, "--accept-lost-repositories");
  const [{ damaged }] = (await withoutRepositories.api("GET", "/repos")).body.repos;
  assert.match(damaged, /its folder is missing/);
  assert.equal(await withoutRepositories.stop(), 0);
  rmSync(join(data, "secret.key"));
  const withoutKey = await serve(t, data, "--accept-lost-key");
  assert.match(withoutKey.log(), /cannot be read and have to be set again/);
  assert.equal(statSync(join(data, "secret.key")).mode & 0o777, 0o600);
});

test("the only repository is lost: it starts, and shows it as damaged", async (t) => {
  const data = join(folder(t), "data");
  cpSync(used, data, { recursive: true });
  await (await serve(t, data)).stop();
  const [name] = readdirSync(join(data, "repositories"));
  rmSync(join(data, "repositories", present(name)), { recursive: true });
  const s = await serve(t, data);
  assert.match((await s.api("GET", "/app")).body.damaged, /its folder is missing/);
});

test("a data folder of a version without such a note opens, and has it from then on", async (t) => {
  const data = join(folder(t), "data");
  cpSync(used, data, { recursive: true });
  rmSync(join(data, "data-folder.json"));
  const s = await serve(t, data);
  assert.equal((await s.api("GET", "/app")).status, 200);
  assert.equal(await s.stop(), 0);
  const { id, database } = JSON.parse(readFileSync(join(data, "data-folder.json"), "utf8"));
  assert.equal(database, "embedded");
  assert.match(id, /^svc_[0-9a-f]{28}$/);
});

test("a start that is killed while it makes the database leaves nothing that stops the next one", async (t) => {
  const data = join(folder(t), "data");
  const { child } = spawnForeign([bin, "serve", "--port", "0", "--data", data]);
  while (!existsSync(join(data, "database.new/global"))) await delay(10);
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(existsSync(join(data, "database")), false, "what is not whole has not its name");
  const s = await serve(t, data);
  assert.equal((await s.api("POST", "/repos", { name: "app" })).status, 201);
  assert.equal(existsSync(join(data, "database.new")), false);
});

test("with a PostgreSQL the data folder refuses another database, and an embedded one", async (t) => {
  const [mine, theirs] = await Promise.all([postgres(), postgres()]);
  t.after(() => Promise.all([mine.stop(), theirs.stop()]));
  const data = join(folder(t), "data");
  const env = { REFSYNC_DATABASE_URL: mine.url };
  const s = await serveWith(t, env, data, "--no-worker");
  await s.api("POST", "/repos", { name: "app" });
  await git(await workTree(t), "push", "--quiet", s.remote("app"), "main");
  await s.stop();
  /**
   * Starts a command that must refuse to start, and returns its message.
   *
   * @param {string | null} database
   * @param {string} [place]
   * @param {"serve" | "worker"} [command]
   */
  const start = async (database, place = data, command = "serve") => {
    const port = command === "serve" ? ["--port", "0"] : [];
    const environment = database === null ? {} : { REFSYNC_DATABASE_URL: database };
    const { status, stderr } = await refsync([command, ...port, "--data", place], environment);
    assert.equal(status, 1, stderr);
    return stderr;
  };
  for (const command of /** @type {const} */ (["serve", "worker"])) {
    assert.match(await start(theirs.url, data, command), /this data folder belongs to the database svc_.* has no id/);
  }
  assert.doesNotMatch(await theirs.dump("--schema-only"), /refsync/, "nothing was made in it");
  await (await serveWith(t, { REFSYNC_DATABASE_URL: theirs.url }, join(folder(t), "theirs"), "--no-worker")).stop();
  assert.match(await start(theirs.url), /belongs to the database svc_\w+ .*the database that was opened is svc_/);
  assert.match(await start(null), /the database of this data folder is a PostgreSQL.*REFSYNC_DATABASE_URL/);
  assert.match(await start(mine.url, used), /this data folder has an embedded database/);
  assert.match(await start(mine.url, join(folder(t), "new")), /knows 1 hosted repositories, and none of them is there/);
  const again = await serveWith(t, env, data);
  assert.equal((await again.api("GET", "/app")).body.damaged, undefined);
  const auth = { kind: "token", token: again.apiKey };
  await again.api("PATCH", "/app", { upstream: { url: again.remote("app").replace(/\/\/.*@/, "//"), auth } });
  const { body } = await again.api("POST", "/app/upstream/syncs", { direction: "pull" });
  await terminal(again, body.id);
});
