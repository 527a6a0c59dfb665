// The public Python SDK of the API, from its registry, against our service.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { pythonRoot } from "../../../scripts/tools.mjs";
import { events, working } from "./support.mjs";

/**
 * @import { SyncRunRef } from "refsync"
 * @import { Json } from "../../support/json.mjs"
 */

const script = fileURLToPath(new URL("walk.py", import.meta.url));

/**
 * Runs the script to its end, and returns its output.
 *
 * @param {string} mode
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [input]
 * @returns {Promise<Json>}
 */
async function python(mode, env, input = "") {
  const child = spawn(join(pythonRoot("mesa-sdk"), "bin/python3"), [script, mode], { env: { ...process.env, ...env } });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said.stderr += text;
  });
  child.stdin.end(input);
  const status = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(status, 0, said.stderr);
  return JSON.parse(said.stdout);
}

test("the public Python SDK goes through repositories, syncs and webhooks, and takes every delivery", async (t) => {
  const s = await working(t);
  const env = {
    MESA_PRIVATE_KEY: await s.service.createPrivateKey("acme", "sdk"),
    MESA_API_URL: s.apiUrl,
    UPSTREAM_URL: s.upstream.url,
    UPSTREAM_TOKEN: s.upstream.token,
    HOOK_URL: s.hook.url,
    TREE: s.tree,
    SOURCE: s.source,
  };
  const said = await python("walk", env);
  assert.equal(said.org.num_repos, 2);
  assert.equal(said.made.upstream.auth_kind, "token");
  assert.deepEqual(
    [said.no_upstream, said.not_found, said.invalid],
    ["UPSTREAM_NOT_CONFIGURED", "NOT_FOUND", "INVALID_REQUEST"],
  );
  assert.deepEqual(said.queued.ref_globs, { branches: "*", tags: "" });
  assert.equal(said.completed.status, "completed", said.completed.error);
  assert.deepEqual(
    said.completed.stats.refs.map((/** @type {SyncRunRef} */ { name, outcome }) => [name, outcome]),
    [["refs/heads/main", "updated"]],
  );
  assert.equal(said.failed.status, "failed");
  assert.deepEqual(said.listed, [said.failed.id, said.completed.id], "newest first, a page at a time");
  assert.equal(said.repo.upstream.latest_sync.id, said.failed.id);
  assert.deepEqual(said.repos, ["sdk", "plain", "source"]);
  assert.deepEqual([said.renamed, said.targets, said.deleted], ["renamed", true, { success: true }]);

  const deliveries = (await s.delivered()).map(({ raw, headers }) => ({ raw, headers }));
  const { seen } = await python("receive", env, JSON.stringify({ secret: said.secret, deliveries }));
  assert.deepEqual(seen, s.hook.types(), "each was verified and fits the SDK's schema");
  for (const [type, count] of Object.entries(events)) {
    assert.equal(seen.filter((one) => one === type).length, count, type);
  }
});
