// Repositories on another Git server.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { listen } from "../../../support/network/listen.mjs";
import { fields, git, start } from "../support.mjs";

/**
 * Two services. `elsewhere` hosts the repositories, and `here` knows only their addresses. The upstream has one branch.
 *
 * @param {import("node:test").TestContext} t
 */
async function twoServers(t) {
  const elsewhere = await start(t);
  const here = await start(t);
  const address = await elsewhere.listen();
  for (const name of ["source", "home"]) await elsewhere.ok("POST", "/acme/repos", { name });
  const work = join(elsewhere.folder, "work");
  await git(elsewhere.folder, "init", "-q", "-b", "main", "work");
  await git(work, "commit", "-q", "--allow-empty", "-m", "one");
  /** @param {string} name */
  const url = (name) => `${address}/acme/${name}.git`;
  /** @param {string} name */
  const push = (name) => git(work, "push", "-q", url(name).replace("//", `//x:${elsewhere.keys.write}@`), "main");
  await push("source");
  const auth = { kind: "token", token: elsewhere.keys.write };
  const upstream = { url: url("source"), auth };
  const origin = { url: url("home"), auth };
  /** @param {string} name */
  const tip = (name) =>
    git(work, "ls-remote", url(name).replace("//", `//x:${elsewhere.keys.write}@`), "refs/heads/main");
  return { here, elsewhere, work, upstream, origin, push, tip, address };
}

const skipped = process.env.REFSYNC_TEST_POSTGRES ? "two services in one test database would be one" : false;

test("a pull goes from the upstream to the origin, and a push back", { skip: skipped }, async (t) => {
  const { here, work, upstream, origin, push, tip } = await twoServers(t);
  const repo = await here.ok("POST", "/acme/repos", { name: "app", upstream, origin });
  assert.deepEqual(repo.origin, { url: origin.url, auth_kind: "token" });
  assert.equal(repo.head_change_id, "z".repeat(32), "nobody has looked yet");
  const planned = await here.ok("POST", "/acme/app/upstream/plan", { direction: "pull" });
  assert.equal(planned.refs[0].outcome, "updated");
  const { id } = await here.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await here.service.tick();
  const run = await here.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(run.status, "completed", run.error);
  assert.equal(await tip("home"), await tip("source"));
  const shown = await here.ok("GET", "/acme/app");
  assert.notEqual(shown.head_change_id, "z".repeat(32), "the run has seen its head");
  assert.deepEqual((await here.ok("GET", "/acme/repos")).repos, [shown]);

  await git(work, "commit", "-q", "--allow-empty", "-m", "two");
  await push("home");
  await here.ok("POST", "/acme/app/upstream/syncs", { direction: "push" });
  await here.service.tick();
  assert.equal(await tip("source"), await tip("home"));
  const dump = JSON.stringify(await here.sql("SELECT * FROM refsync.repos"));
  assert.ok(!dump.includes(origin.auth.token), "the credential is sealed");
  assert.ok(!JSON.stringify(shown).includes(origin.auth.token));
});

test("its default branch is what the origin's own HEAD names, unless it was asked for", {
  skip: skipped,
}, async (t) => {
  const { here, elsewhere, work, upstream, origin } = await twoServers(t);
  const home = await elsewhere.ok("GET", "/acme/home");
  /** @param {string} branch */
  const head = (branch) =>
    git(join(elsewhere.folder, "repositories", `${home.id}.git`), "symbolic-ref", "HEAD", `refs/heads/${branch}`);
  const auth = `x:${elsewhere.keys.write}@`;
  await git(work, "push", "-q", origin.url.replace("//", `//${auth}`), "main:dev");
  await head("dev");
  await here.ok("POST", "/acme/repos", { name: "app", upstream, origin });
  const pull = async () => {
    const { id } = await here.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
    await here.service.tick();
    const run = await here.ok("GET", `/acme/app/upstream/syncs/${id}`);
    assert.equal(run.status, "completed", run.error);
    const shown = await here.ok("GET", "/acme/app");
    /** @type {import("refsync").SyncRunMessage[]} */
    const messages = run.stats.messages ?? [];
    return [shown.default_bookmark, messages.map(({ text }) => text)];
  };
  assert.deepEqual(await pull(), ["dev", ["The default branch is now dev, as at the origin. It was main."]]);
  await here.ok("PATCH", "/acme/app", { default_bookmark: "main" });
  const differs =
    "The default branch is main, but HEAD of the origin names dev. Only that server can change it; or change default_bookmark to dev.";
  assert.deepEqual(await pull(), ["main", [differs]]);
  await head("main");
  assert.deepEqual(await pull(), ["main", []]);
  assert.deepEqual(here.lines, [], "nothing has failed here");
});

test("its Git is not served here, and the answer says where it is", { skip: skipped }, async (t) => {
  const { here, origin, upstream } = await twoServers(t);
  await here.ok("POST", "/acme/repos", { name: "app", upstream, origin });
  const address = await here.listen();
  const response = await fetch(`${address}/acme/app.git/info/refs?service=git-upload-pack`, {
    headers: { authorization: `Basic ${Buffer.from(`x:${here.keys.admin}`).toString("base64")}` },
  });
  assert.equal(response.status, 404);
  assert.ok((await response.text()).includes(origin.url));
});

test("an origin is checked, kept, replaced and removed", async (t) => {
  const { call, ok, sql } = await start(t);
  const bad = await call("POST", "/acme/repos", { origin: { url: "ssh://h/x", auth: { kind: "token", token: "" } } });
  assert.equal(bad[0], 400);
  assert.deepEqual(fields(bad).sort(), ["origin.auth.token", "origin.url"]);
  const origin = { url: "https://h.example/x.git", auth: { kind: "username_password", username: "u", password: "p" } };
  assert.equal((await ok("POST", "/acme/repos", { name: "app", origin })).origin.auth_kind, "username_password");
  /** @param {object} body */
  const change = async (body) => (await ok("PATCH", "/acme/app", body)).origin;
  const sealed = async () => (await sql("SELECT origin_auth FROM refsync.repos"))[0].origin_auth;
  const before = await sealed();
  assert.deepEqual(await change({ tags: { a: "b" } }), { url: origin.url, auth_kind: "username_password" });
  assert.deepEqual(await change({ origin: { url: "https://h.example/y.git" } }), {
    url: "https://h.example/y.git",
    auth_kind: "username_password",
  });
  assert.equal(await sealed(), before, "left out, the credential stays");
  assert.deepEqual(await change({ origin: { url: origin.url, auth: null } }), { url: origin.url, auth_kind: null });
  assert.equal(await change({ origin: null }), null);
  assert.equal((await ok("GET", "/acme/app")).head_change_id, "z".repeat(32), "it is hosted here, and empty");
});

test("a repository is made or changed with its origin in one step, whatever dies after it", async (t) => {
  const { ok, database, folder, keys, sql } = await start(t);
  let writes = 0;
  // Like a process that is killed after its first write, not counting the time when its key was used.
  /** @type {import("refsync/service").Database} */
  const dying = {
    query(text, params) {
      if (writes > 0) throw new Error("killed");
      writes += /\b(INSERT INTO|UPDATE) refsync\.(?!api_keys\b)/.test(text) ? 1 : 0;
      return database.query(text, params);
    },
  };
  const secretKey = new Uint8Array(32).fill(7);
  const host = gitHttpBackend({ root: join(folder, "repositories") });
  const service = new Service({ database: dying, git: host, fetch, secretKey, log: () => {} });
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} body
   */
  const call = (method, path, body) => {
    writes = 0;
    const headers = { authorization: `Bearer ${keys.admin}` };
    const url = `http://service.test/v1/acme${path}`;
    return service.fetch(new Request(url, { method, headers, body: JSON.stringify(body) }));
  };
  const auth = { kind: "token", token: "secret" };
  const shown = async () => (await ok("GET", "/acme/app")).origin;
  const made = await call("POST", "/repos", { name: "app", origin: { url: "https://h.example/x.git", auth } });
  assert.equal(writes, 1, await made.text());
  assert.deepEqual(await shown(), { url: "https://h.example/x.git", auth_kind: "token" });

  const changed = await call("PATCH", "/app", {
    tags: { a: "b" },
    origin: { url: "https://h.example/y.git", auth: null },
  });
  assert.equal(writes, 1, await changed.text());
  assert.deepEqual(await shown(), { url: "https://h.example/y.git", auth_kind: null });
  assert.deepEqual((await ok("GET", "/acme/app")).tags, { a: "b" });
  assert.equal((await sql("SELECT origin_auth FROM refsync.repos"))[0].origin_auth, null);
});

test("a worker that reaches no hosted repository takes only those elsewhere", async (t) => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const port = await listen(server);
  t.after(() => server.close());
  const url = `http://127.0.0.1:${port}/x.git`;
  const { ok, service } = await start(t, { service: { onlyOrigins: true } });
  await ok("POST", "/acme/repos", { name: "hosted", upstream: { url } });
  await ok("POST", "/acme/repos", { name: "elsewhere", upstream: { url }, origin: { url } });
  const hosted = await ok("POST", "/acme/hosted/upstream/syncs", { direction: "pull" });
  const elsewhere = await ok("POST", "/acme/elsewhere/upstream/syncs", { direction: "pull" });
  assert.equal(await service.tick(), true);
  assert.equal(await service.tick(), false);
  assert.equal((await ok("GET", `/acme/hosted/upstream/syncs/${hosted.id}`)).status, "queued");
  assert.equal((await ok("GET", `/acme/elsewhere/upstream/syncs/${elsewhere.id}`)).status, "failed");
});
