// Data folders of other versions.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PGlite } from "@electric-sql/pglite";

import { present } from "../../../support/present.mjs";
import { folder, git, refsync, serve, terminal } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo } from "refsync"
 */

const fixture = readFileSync(new URL("../../../fixtures/upgrade/schema-5.sql", import.meta.url), "utf8");
const facts = JSON.parse(fixture.slice(3, fixture.indexOf("\n")));

/**
 * The data folder of a version with schema 5.
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
  // Queued runs are done. The stored credential can be read. The upstream does not exist any more.
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
