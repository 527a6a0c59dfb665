// A backup that an earlier version wrote.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { postgres } from "../../../support/service/postgres.mjs";
import { folder, git, refsync, serveWith } from "../support.mjs";

/** @import { Json } from "../../../support/json.mjs" */

/**
 * A run of an earlier version in its present form: with the number of refs for each outcome.
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
