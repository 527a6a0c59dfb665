import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { fields, git, start } from "../support.mjs";

test("a plan is what the sync then does, and changes nothing", async (t) => {
  const s = await start(t);
  const origin = await s.listen();
  await s.ok("POST", "/acme/repos", { name: "source" });
  const url = `${origin}/acme/source.git`;
  const upstream = { url, auth: { kind: "token", token: s.keys.write } };
  const { id } = await s.ok("POST", "/acme/repos", { name: "app", upstream });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const work = join(s.folder, "work");
  /**
   * @param {string} repo
   * @param {string[]} refs
   */
  const push = (repo, ...refs) =>
    git(work, "push", "-q", "--force", `${origin.replace("//", `//x:${s.keys.write}@`)}/acme/${repo}.git`, ...refs);
  /** @param {string} message */
  const commit = (message) => git(work, "commit", "-q", "--allow-empty", "-m", message);
  await commit("one");
  await git(work, "branch", "same");
  await git(work, "tag", "v1");
  await push("app", "main", "same", "main:behind", "v1");
  await commit("two");
  await git(work, "tag", "-f", "v1");
  await push("source", "main", "same", "main:behind", "main:new", "v1");
  await git(work, "checkout", "-q", "--orphan", "apart");
  await commit("apart");
  await push("app", "apart:main");

  const refs = () => git(`${s.folder}/repositories/${id}.git`, "for-each-ref");
  const before = await refs();
  const body = { direction: "pull" };
  /** @type {import("refsync").SyncRunStats} */
  const plan = await s.ok("POST", "/acme/app/upstream/plan", body, { key: s.keys.read });
  assert.deepEqual(
    plan.refs.map(({ name, outcome, reason }) => [name, outcome, reason]),
    [
      ["refs/heads/behind", "updated", null],
      ["refs/heads/main", "rejected", "non_fast_forward"],
      ["refs/heads/new", "updated", null],
      ["refs/heads/same", "unchanged", null],
      // A tag that moves to a descendant is also a fast-forward.
      ["refs/tags/v1", "updated", null],
    ],
  );
  assert.equal(await refs(), before, "nothing moved");
  assert.deepEqual(await s.sql("SELECT id FROM refsync.syncs"), [], "no run was made");

  const run = await s.ok("POST", "/acme/app/upstream/syncs", body);
  await s.service.tick();
  const { status, stats } = await s.ok("GET", `/acme/app/upstream/syncs/${run.id}`);
  assert.equal(status, "completed");
  assert.deepEqual(stats, plan);
});

test("a plan without an upstream, with a bad body and of an upstream that fails is refused in words", async (t) => {
  const { call, ok, lines } = await start(t);
  await ok("POST", "/acme/repos", { name: "alone" });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  const [none, body] = await call("POST", "/acme/alone/upstream/plan", { direction: "pull" });
  assert.deepEqual([none, body.error.code], [409, "UPSTREAM_NOT_CONFIGURED"]);
  assert.deepEqual(fields(await call("POST", "/acme/app/upstream/plan", { direction: "up" })), ["direction"]);
  assert.deepEqual(fields(await call("POST", "/acme/app/upstream/plan", { direction: "pull", force: true })), [
    "force",
  ]);
  const [status, away] = await call("POST", "/acme/app/upstream/plan", { direction: "pull" });
  assert.deepEqual([status, away.error.code], [503, "UPSTREAM_UNAVAILABLE"]);
  assert.match(away.error.message, /source.*127\.0\.0\.1:9/);
  assert.ok(lines.some((line) => line.includes(away.error.trace_id)));
  assert.equal((await call("GET", "/acme/app/upstream/plan"))[0], 404);
});
