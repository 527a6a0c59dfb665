import assert from "node:assert/strict";
import { test } from "node:test";

import { fields, git, start } from "../support.mjs";

/** @import { Scope } from "refsync/service" */

const url = "https://git.example.com/team/app.git";
/** The fields of an upstream before the first run. */
const fresh = {
  latest_sync: null,
  verified_at: null,
  behind: null,
  schedule: null,
  paused_at: null,
  pause_reason: null,
};

test("whoami tells the organisation, the key and its scopes", async (t) => {
  const { ok, keys } = await start(t);
  const me = await ok("GET", "/whoami", undefined, { key: keys.write });
  assert.equal(me.org.slug, "acme");
  assert.equal(me.org.name, "Acme");
  assert.match(me.key_id, /^key_/);
  assert.deepEqual(me.scopes, ["read", "write"]);
  assert.deepEqual(Object.keys(me).sort(), ["key_id", "org", "scopes"]);
});

test("the organisation counts its repositories", async (t) => {
  const { ok } = await start(t);
  assert.equal((await ok("GET", "/acme")).num_repos, 0);
  await ok("POST", "/acme/repos", { name: "app" });
  const org = await ok("GET", "/acme");
  assert.equal(org.num_repos, 1);
  assert.deepEqual(Object.keys(org).sort(), ["created_at", "id", "name", "num_repos", "slug"]);
});

test("a new repository has the contract's shape, and is there under its name in any case and its id", async (t) => {
  const { call, ok } = await start(t);
  const [status, repo] = await call("POST", "/acme/repos", { name: "App", tags: { team: "core" }, upstream: { url } });
  assert.equal(status, 201);
  assert.match(repo.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { id, created_at, ...rest } = repo;
  assert.deepEqual(rest, {
    org: "acme",
    name: "App",
    default_bookmark: "main",
    head_change_id: "z".repeat(32),
    origin: null,
    upstream: { url, auth_kind: null, ...fresh },
    tags: { team: "core" },
  });
  for (const key of ["App", "aPP", id]) assert.deepEqual(await ok("GET", `/acme/${key}`), repo);
});

test("a repository without a name gets one, and an empty object is enough", async (t) => {
  const { ok } = await start(t);
  const repo = await ok("POST", "/acme/repos", {});
  assert.match(repo.name, /^repo-[0-9a-f]{12}$/);
  assert.equal(repo.upstream, null);
  assert.equal((await ok("POST", "/acme/repos", { name: null, tags: null, upstream: null })).upstream, null);
});

test("a taken name is a conflict in any case, and leaves nothing behind", async (t) => {
  const { call, ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "app" });
  const [status, body] = await call("POST", "/acme/repos", { name: "APP" });
  assert.deepEqual([status, body.error.code], [409, "CONFLICT"]);
  await ok("POST", "/acme/repos", { name: "other" });
  const [renamed] = await call("PATCH", "/acme/other", { name: "App" });
  assert.equal(renamed, 409);
  assert.equal((await ok("GET", "/acme")).num_repos, 2);
});

test("what a PATCH leaves out stays, null removes", async (t) => {
  const { ok, sql } = await start(t);
  const auth = { kind: "token", token: "s3cret" };
  await ok("POST", "/acme/repos", { name: "app", tags: { a: "1", b: "2" }, upstream: { url, auth } });
  const sealed = async () => (await sql("SELECT upstream_auth FROM refsync.repos"))[0].upstream_auth;
  const before = await sealed();

  let repo = await ok("PATCH", "/acme/app", {});
  assert.deepEqual(repo.tags, { a: "1", b: "2" });
  assert.deepEqual(repo.upstream, { url, auth_kind: "token", ...fresh });

  repo = await ok("PATCH", "/acme/app", { tags: { a: null, c: "3" } });
  assert.deepEqual(repo.tags, { b: "2", c: "3" });

  repo = await ok("PATCH", "/acme/app", { upstream: { url: "https://git.example.com/other/x" } });
  assert.deepEqual(repo.upstream, { url: "https://git.example.com/other/x", auth_kind: "token", ...fresh });
  assert.equal(await sealed(), before, "auth left out keeps the stored credential");
  assert.equal(repo.warning, undefined);

  repo = await ok("PATCH", "/acme/app", { upstream: { url: "https://other.example.com/x" } });
  assert.deepEqual(repo.upstream, { url: "https://other.example.com/x", auth_kind: null, ...fresh });
  assert.equal(await sealed(), null, "but not for another server");
  assert.match(repo.warning, /credential/);

  repo = await ok("PATCH", "/acme/app", {
    upstream: { url, auth: { kind: "username_password", username: "u", password: "p" } },
  });
  assert.equal(repo.upstream.auth_kind, "username_password");
  repo = await ok("PATCH", "/acme/app", { upstream: { url, auth: null } });
  assert.equal(repo.upstream.auth_kind, null);
  assert.equal(await sealed(), null);

  repo = await ok("PATCH", "/acme/app", { name: "renamed", default_bookmark: "dev", upstream: null });
  assert.deepEqual([repo.name, repo.default_bookmark, repo.upstream], ["renamed", "dev", null]);
});

test("PATCH default_bookmark moves HEAD of the Git repository", async (t) => {
  const { ok, folder } = await start(t);
  const { id } = await ok("POST", "/acme/repos", { name: "app" });
  await ok("PATCH", "/acme/app", { default_bookmark: "release/1" });
  assert.equal(await git(`${folder}/repositories/${id}.git`, "symbolic-ref", "HEAD"), "refs/heads/release/1");
});

test("a deleted repository is gone, with its syncs and its Git repository", async (t) => {
  const { call, ok, sql, folder } = await start(t);
  const { id } = await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  assert.deepEqual(await ok("DELETE", "/acme/app"), { success: true });
  assert.equal((await call("GET", "/acme/app"))[0], 404);
  assert.deepEqual(await sql("SELECT * FROM refsync.syncs"), []);
  await assert.rejects(git(`${folder}/repositories/${id}.git`, "rev-parse"), "the folder is removed");
});

test("a credential is sealed in the database, never shown, and moved out of the URL", async (t) => {
  const { ok, sql, lines } = await start(t);
  const planted = "pl4nted-p4ssw0rd";
  const shown = [
    await ok("POST", "/acme/repos", { name: "a", upstream: { url, auth: { kind: "token", token: planted } } }),
    await ok("POST", "/acme/repos", { name: "b", upstream: { url: `https://joe:${planted}@git.example.com/x.git` } }),
    await ok("POST", "/acme/repos", { name: "c", upstream: { url: `https://${planted}@git.example.com/x.git` } }),
    await ok("GET", "/acme/repos"),
  ];
  assert.deepEqual(
    shown.slice(0, 3).map((repo) => repo.upstream.auth_kind),
    // A user name without a password is first sent as a user name, like in Git, and then as a token.
    ["token", "username_password", "username_password"],
  );
  assert.equal(shown[1].upstream.url, "https://git.example.com/x.git");
  const dump = JSON.stringify([shown, await sql("SELECT * FROM refsync.repos"), lines]);
  assert.ok(!dump.includes(planted));
});

test("lists page newest first, and a cursor stays valid while rows are added", async (t) => {
  const { ok } = await start(t);
  for (const name of ["a", "b", "c", "d", "e"]) await ok("POST", "/acme/repos", { name });
  const first = await ok("GET", "/acme/repos?limit=2");
  assert.deepEqual(namesOf(first), ["e", "d"]);
  assert.equal(first.has_more, true);
  await ok("POST", "/acme/repos", { name: "f" });
  const second = await ok("GET", `/acme/repos?limit=2&cursor=${first.next_cursor}`);
  assert.deepEqual(namesOf(second), ["c", "b"]);
  const last = await ok("GET", `/acme/repos?limit=2&cursor=${encodeURIComponent(second.next_cursor)}`);
  assert.deepEqual([namesOf(last), last.has_more, last.next_cursor], [["a"], false, null]);
});

test("?tags keeps the repositories that have them all", async (t) => {
  const { ok, call } = await start(t);
  await ok("POST", "/acme/repos", { name: "a", tags: { team: "core", tier: "1" } });
  await ok("POST", "/acme/repos", { name: "b", tags: { team: "core" } });
  /**
   * @param {string} tags
   * @returns {Promise<string[]>}
   */
  const names = async (tags) => namesOf(await ok("GET", `/acme/repos?tags=${encodeURIComponent(tags)}`));
  assert.deepEqual(await names("team:core"), ["b", "a"]);
  assert.deepEqual(await names("team=core,tier=1"), ["a"]);
  assert.deepEqual(await names('{"tier":"1"}'), ["a"]);
  assert.deepEqual(await names("team:other"), []);
  assert.deepEqual(fields(await call("GET", "/acme/repos?tags=nonsense")), ["tags"]);
});

/**
 * The names of a page of repositories.
 *
 * @param {import("refsync").RepoPage} page
 */
function namesOf({ repos }) {
  return repos.map(({ name }) => name);
}

test("each scope does what it includes and nothing more", async (t) => {
  const { call, ok, keys } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  /** @type {[method: string, path: string, needed: Scope, body?: object][]} */
  const table = [
    ["GET", "/acme", "read"],
    ["GET", "/acme/repos", "read"],
    ["GET", "/acme/app", "read"],
    ["GET", "/acme/app/upstream/syncs", "read"],
    ["POST", "/acme/repos", "write", {}],
    ["PATCH", "/acme/app", "write", {}],
    ["POST", "/acme/app/upstream/syncs", "write", { direction: "pull" }],
    ["DELETE", "/acme/app", "admin"],
  ];
  /** @type {Scope[]} */
  const order = ["read", "write", "admin"];
  for (const [method, path, needed, body] of table) {
    for (const scope of order) {
      const [status, answer] = await call(method, path, body, { key: keys[scope] });
      const allowed = order.indexOf(scope) >= order.indexOf(needed);
      assert.equal(status < 300, allowed, `${method} ${path} with ${scope}: ${status}`);
      if (!allowed) assert.deepEqual([status, answer.error.code], [403, "FORBIDDEN"]);
    }
  }
});

test("a missing, unknown or changed key is 401; another organisation's is 403", async (t) => {
  const { call, service, keys } = await start(t);
  for (const key of [
    null,
    "nonsense",
    `${keys.admin.slice(0, -2)}xx`,
    `refsync_000000000000000000000000_${"A".repeat(43)}`,
  ]) {
    const [status, body, response] = await call("GET", "/whoami", undefined, { key });
    assert.deepEqual([status, body.error.code], [401, "UNAUTHENTICATED"]);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
  }
  await service.ensureOrganization("other");
  const other = await service.createApiKey("other", "admin");
  for (const path of ["/acme", "/acme/repos", "/nowhere"]) {
    assert.equal((await call("GET", path, undefined, { key: other }))[0], 403);
  }
  await assert.rejects(service.createApiKey("nowhere", "read"), { code: "NOT_FOUND" });
  // @ts-expect-error: no such scope
  await assert.rejects(service.createApiKey("acme", "root"), TypeError);
  await assert.rejects(service.ensureOrganization("a/b"), { code: "INVALID_REQUEST" });
});
