// The public Python SDK of the API, as it comes from its registry, against our service.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { work } from "refsync/node";

import { pythonRoot } from "../../../scripts/tools.mjs";
import { receive } from "../service/receiver.mjs";
import { eventually, git, start } from "../service/support.mjs";

const script = fileURLToPath(new URL("walk.py", import.meta.url));

/** Runs the script to its end; gives what it prints. */
async function python(mode, env, input = "") {
  const child = spawn(join(pythonRoot("mesa-sdk"), "bin/python3"), [script, mode], { env: { ...process.env, ...env } });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => {
      said[name] += text;
    });
  }
  child.stdin.end(input);
  const status = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(status, 0, said.stderr);
  return JSON.parse(said.stdout);
}

test("the public Python SDK goes through repositories, syncs and webhooks, and takes every delivery", async (t) => {
  const s = await start(t);
  const url = await s.listen();
  const hook = await receive(t);
  await s.ok("POST", "/acme/repos", { name: "source" });
  await s.ok("POST", "/acme/repos", { name: "plain" });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  await git(join(s.folder, "work"), "commit", "-q", "--allow-empty", "-m", "one");
  await git(
    join(s.folder, "work"),
    "push",
    "-q",
    `${url.replace("//", `//x:${s.keys.write}@`)}/acme/source.git`,
    "main",
  );
  const stop = new AbortController();
  const worker = work(s.service, { signal: stop.signal, pollInterval: 50 });
  t.after(() => stop.abort());

  const env = {
    MESA_PRIVATE_KEY: await s.service.createPrivateKey("acme", "sdk"),
    MESA_API_URL: `${url}/v1`,
    UPSTREAM_URL: `${url}/acme/source.git`,
    UPSTREAM_TOKEN: s.keys.write,
    HOOK_URL: hook.url,
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
    said.completed.stats.refs.map(({ name, outcome }) => [name, outcome]),
    [["refs/heads/main", "updated"]],
  );
  assert.equal(said.failed.status, "failed");
  assert.deepEqual(said.listed, [said.failed.id, said.completed.id], "newest first, a page at a time");
  assert.equal(said.repo.upstream.latest_sync.id, said.failed.id);
  assert.deepEqual(said.repos, ["sdk", "plain", "source"]);
  assert.deepEqual([said.renamed, said.targets, said.deleted], ["renamed", true, { success: true }]);

  await eventually(() => hook.types().includes("repo.deleted") && hook.types().includes("sync.failed"));
  stop.abort();
  await worker.stopped;
  const deliveries = hook.deliveries.map(({ raw, headers }) => ({ raw, headers }));
  const { seen } = await python("receive", env, JSON.stringify({ secret: said.secret, deliveries }));
  assert.deepEqual(seen, hook.types(), "each was verified and fits the SDK's schema");
  const count = (type) => seen.filter((one) => one === type).length;
  assert.deepEqual(
    [
      "repo.created",
      "repo.updated",
      "repo.deleted",
      "sync.queued",
      "sync.in_progress",
      "sync.completed",
      "sync.failed",
    ].map(count),
    [1, 2, 1, 2, 2, 1, 1],
  );
});
