import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { git, start } from "../support.mjs";

test("an upstream says as of when it was verified, and how many refs are apart", async (t) => {
  const s = await start(t);
  const origin = await s.listen();
  await s.ok("POST", "/acme/repos", { name: "source" });
  const url = `${origin}/acme/source.git`;
  const auth = { kind: "token", token: s.keys.write };
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url, auth } });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const work = join(s.folder, "work");
  /** @param {string} message */
  const commit = (message) => git(work, "commit", "-q", "--allow-empty", "-m", message);
  /**
   * @param {string} repo
   * @param {string} ref
   */
  const push = (repo, ref) =>
    git(work, "push", "-q", "--force", `${origin.replace("//", `//x:${s.keys.write}@`)}/acme/${repo}.git`, ref);
  const freshness = async () => {
    const { verified_at, behind } = (await s.ok("GET", "/acme/app")).upstream;
    return [verified_at, behind];
  };
  /** @param {object} [ref_globs] */
  const sync = async (ref_globs) => {
    const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull", ref_globs });
    await s.service.tick();
    const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
    assert.equal(run.status, "completed", run.error);
    return run;
  };

  await commit("one");
  await push("source", "main");
  assert.deepEqual(await freshness(), [null, null]);
  await sync({ branches: "*" });
  assert.deepEqual(await freshness(), [null, null], "a run of some refs verifies nothing");
  const first = await sync();
  assert.deepEqual(await freshness(), [first.started_at, 0]);
  const second = await sync();
  assert.deepEqual(await freshness(), [second.started_at, 0], "also where nothing was new");

  await push("app", "main:other");
  await git(work, "checkout", "-q", "--orphan", "apart");
  await commit("apart");
  await push("source", "apart:main");
  await push("source", "apart:new");
  await sync();
  assert.deepEqual(await freshness(), [second.started_at, 1], "one branch diverged");

  await s.ok("PATCH", "/acme/app", { name: "app", upstream: { url } });
  assert.deepEqual(await freshness(), [second.started_at, 1], "it is the same upstream");
  await s.ok("PATCH", "/acme/app", { upstream: { url: `${url}/` } });
  assert.deepEqual(await freshness(), [null, null], "nothing is known of another one");
});
