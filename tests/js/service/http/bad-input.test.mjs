import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { fields, start } from "../support.mjs";

const url = "https://git.example.com/app.git";

test("an unknown repository, no upstream and an unknown sync have the contract's codes", async (t) => {
  const { call, ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "alone" });
  /** @type {[method: string, path: string, body: unknown, status: number, code: string][]} */
  const cases = [
    ["GET", "/acme/nothing", undefined, 404, "NOT_FOUND"],
    ["PATCH", "/acme/nothing", {}, 404, "NOT_FOUND"],
    ["DELETE", "/acme/nothing", undefined, 404, "NOT_FOUND"],
    ["POST", "/acme/nothing/upstream/syncs", { direction: "pull" }, 404, "NOT_FOUND"],
    ["GET", "/acme/alone/upstream/syncs/sync_1", undefined, 404, "NOT_FOUND"],
    ["POST", "/acme/alone/upstream/syncs", { direction: "pull" }, 409, "UPSTREAM_NOT_CONFIGURED"],
    ["PUT", "/acme/alone", {}, 404, "NOT_FOUND"],
    ["POST", "/whoami", {}, 404, "NOT_FOUND"],
    ["GET", "/acme/alone/elsewhere", undefined, 404, "NOT_FOUND"],
    ["GET", "/acme/%00", undefined, 404, "NOT_FOUND"],
    ["GET", "/acme/%ff", undefined, 404, "NOT_FOUND"],
    ["GET", `/acme/${"x".repeat(5000)}`, undefined, 404, "NOT_FOUND"],
    ["GET", "/acme/%27%3B%20DROP%20TABLE%20refsync.repos%3B--", undefined, 404, "NOT_FOUND"],
  ];
  for (const [method, path, body, status, code] of cases) {
    const [got, answer] = await call(method, path, body);
    assert.deepEqual([got, answer.error.code], [status, code], `${method} ${path}`);
    assert.equal(answer.error.trace_id, undefined);
  }
});

test("each bad field of a sync is named, with the remedy", async (t) => {
  const { call, ok, queued } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  /** @type {[body: unknown, field: string | RegExp, message: RegExp][]} */
  const cases = [
    ["", "body", /JSON object/],
    ["{", "body", /JSON object/],
    ["[]", "body", /object/],
    ['"pull"', "body", /object/],
    ["null", "body", /object/],
    ['{"direction":"\\ud800"}', "body", /JSON/],
    ["[".repeat(100_000), "body", /JSON/],
    [{}, "direction", /"pull" or "push"/],
    [{ direction: "sideways" }, "direction", /"pull".*"push"/],
    [{ direction: "Pull" }, "direction", /"pull"/],
    [{ direction: null }, "direction", /"pull"/],
    [{ direction: 1 }, "direction", /"pull"/],
    [{ direction: ["pull"] }, "direction", /"pull"/],
    [{ direction: "pull", ref_globs: {} }, "ref_globs", /leave ref_globs out/],
    [{ direction: "pull", ref_globs: null }, "ref_globs", /leave it out/],
    [{ direction: "pull", ref_globs: "main" }, "ref_globs", /object/],
    [{ direction: "pull", ref_globs: ["main", "*"] }, "ref_globs", /object/],
    [{ direction: "pull", ref_globs: { branches: 5 } }, "ref_globs.branches", /string/],
    [{ direction: "pull", ref_globs: { branches: "[a" } }, "ref_globs.branches", /\\\[/],
    [{ direction: "pull", ref_globs: { tags: "v\\" } }, "ref_globs.tags", /backslash/],
    [{ direction: "pull", ref_globs: { tags: "[z-a]" } }, "ref_globs.tags", /a-z/],
    [{ direction: "pull", ref_globs: { tags: "x".repeat(2000) } }, "ref_globs.tags", /1024/],
    [{ direction: "pull", ref_globs: { tags: "a\0b" } }, "ref_globs.tags", /NUL/],
    [{ direction: "pull", ref_globs: { branch: "main" } }, /^ref_globs/, /branch/],
    [{ direction: "pull", ref_glob: { branches: "main" } }, "ref_glob", /not a field/],
  ];
  for (const [body, field, message] of cases) {
    const answer = await call("POST", "/acme/app/upstream/syncs", body);
    const what = JSON.stringify(body).slice(0, 80);
    assert.deepEqual([answer[0], answer[1].error.code], [400, "INVALID_REQUEST"], what);
    const named = present(fields(answer)[0]);
    field instanceof RegExp ? assert.match(named, field, what) : assert.equal(named, field, what);
    assert.match(answer[1].error.details.fields[0].message, message, what);
  }
  assert.equal(queued(), 0, "nothing of it was queued");
});

/**
 * A body and its bad field.
 *
 * @param {object} body
 * @param {string} field
 * @returns {[body: object, field: string]}
 */
const row = (body, field) => [body, field];

test("each bad field of a repository is named", async (t) => {
  const { call, ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "app" });
  /** @type {[body: object, field: string][]} */
  const bad = [
    ...["", ".", "..", "a b", "a/b", "é", "x".repeat(101), "app.git", "x.GIT"].map((name) => row({ name }, "name")),
    ...["repos", "Repo", "api-keys", "webhook-targets", "a\0"].map((name) => row({ name }, "name")),
    [{ name: 5 }, "name"],
    ...["", "-x", "a..b", "a b", "refs/heads/x", "x.lock", "HEAD", "a\0", "x".repeat(300)].map((branch) =>
      row({ default_bookmark: branch }, "default_bookmark"),
    ),
    [{ tags: { a: 1 } }, "tags.a"],
    [{ tags: ["a"] }, "tags"],
    [{ tags: { "a\0": "b" } }, "tags"],
    [{ tags: { "": "b" } }, "tags"],
    [{ upstream: url }, "upstream"],
    [{ upstream: {} }, "upstream.url"],
    ...[
      "",
      "git@host:x.git",
      "ssh://host/x",
      "file:///etc",
      "https://",
      "https://:80/x",
      "https://h:0/x",
      "https://h:99999/x",
      "https://h/x?y=z",
      "https://h/#x",
      "https://h/ x",
      "https://h/\n",
      "https://ho\u0000st/",
      "https://[::1/x",
      "//h/x",
      "https://:@h/x",
    ].map((bad) => row({ upstream: { url: bad } }, "upstream.url")),
    [{ upstream: { url: "https://u:p@h/x", auth: { kind: "token", token: "t" } } }, "upstream.url"],
    [{ upstream: { url, auth: { kind: "ssh", key: "k" } } }, "upstream.auth"],
    [{ upstream: { url, auth: { kind: "token" } } }, "upstream.auth"],
    [{ upstream: { url, auth: "token" } }, "upstream.auth"],
    [{ upstream: { url, auth: { kind: "token", token: "" } } }, "upstream.auth.token"],
    [{ upstream: { url, auth: { kind: "token", token: "a\nb" } } }, "upstream.auth.token"],
    [
      { upstream: { url, auth: { kind: "username_password", username: "a:b", password: "c" } } },
      "upstream.auth.username",
    ],
  ];
  for (const [body, field] of bad) {
    for (const { method, path } of [
      { method: "POST", path: "/acme/repos" },
      { method: "PATCH", path: "/acme/app" },
    ]) {
      const answer = await call(method, path, body);
      assert.equal(answer[0], 400, `${method} ${JSON.stringify(body)}`);
      assert.equal(fields(answer)[0], field, `${method} ${JSON.stringify(body)}`);
    }
  }
  const [, secret] = await call("POST", "/acme/repos", { upstream: { url, auth: { kind: "token", token: 424242 } } });
  assert.ok(!JSON.stringify(secret).includes("424242"), "a refused secret is not echoed");
  assert.deepEqual(
    fields(await call("POST", "/acme/repos", { name: "a b", default_bookmark: "-", upstream: { url: "x" } })),
    ["name", "default_bookmark", "upstream.url"],
  );
  assert.equal((await ok("GET", "/acme")).num_repos, 1);
});

test("a bad limit or cursor is named", async (t) => {
  const { call, ok } = await start(t);
  await ok("POST", "/acme/repos", { name: "app" });
  await ok("POST", "/acme/repos", { name: "app2" });
  const { next_cursor } = await ok("GET", "/acme/repos?limit=1");
  for (const list of ["/acme/repos", "/acme/app/upstream/syncs"]) {
    for (const limit of ["0", "101", "-1", "1.5", "ten", "", "99999999999999999999"]) {
      assert.deepEqual(fields(await call("GET", `${list}?limit=${limit}`)), ["limit"]);
    }
    for (const cursor of ["", "x", "%ff", "%00", "bm9uc2Vuc2U", "cmVwb3M6eA"]) {
      assert.deepEqual(fields(await call("GET", `${list}?cursor=${cursor}`)), ["cursor"]);
    }
  }
  const other = await call("GET", `/acme/app/upstream/syncs?cursor=${next_cursor}`);
  assert.deepEqual(fields(other), ["cursor"], "a cursor of another list is refused");
});

test("a body over a megabyte is 413, an Accept without JSON 406", async (t) => {
  const { call } = await start(t);
  const [status, body] = await call("POST", "/acme/repos", JSON.stringify({ name: "a".repeat(1 << 20) }));
  assert.deepEqual([status, body.error.code], [413, "PAYLOAD_TOO_LARGE"]);
  assert.equal((await call("GET", "/whoami", undefined, { headers: { accept: "text/html" } }))[0], 406);
  assert.equal((await call("GET", "/whoami", undefined, { headers: { accept: "text/html, */*;q=0.1" } }))[0], 200);
});

test("a database that fails is a 500 with a trace id, whose cause is in the log alone", async (t) => {
  const { call, ok, sql, lines } = await start(t);
  await sql("ALTER TABLE refsync.repos RENAME TO repos_away");
  const [status, body] = await call("GET", "/acme/repos");
  assert.deepEqual([status, body.error.code], [500, "INTERNAL_ERROR"]);
  assert.ok(!JSON.stringify(body).includes("refsync.repos"), "internals stay inside");
  const line = lines.find((text) => text.includes(body.error.trace_id));
  assert.match(present(line), /GET \/v1\/acme\/repos.*does not exist/);
  await sql("ALTER TABLE refsync.repos_away RENAME TO repos");
  await ok("GET", "/acme/repos");
});
