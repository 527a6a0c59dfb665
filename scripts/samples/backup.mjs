// Writes a backup of this version for the tests of later versions: `node scripts/samples/backup.mjs FILE.tar.gz`. Run it in
// a checkout of the version, after the build. Never replace an existing fixture.
//
// `refsync serve` fills a data folder and `refsync backup` writes the backup, as a user would. Beside the folder `backup`
// the archive has `facts.json`: the refs of each repository, the runs and the API key, which a test compares with the
// restored service.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { refsOf, workTree } from "../../tests/support/git/git.mjs";
import { startRefsync } from "../../tests/support/process/refsync.mjs";
import { main, root, StepError } from "../command.mjs";

/** @import { Json } from "../../tests/support/json.mjs" */

const run = promisify(execFile);

await main(async () => {
  const [file] = process.argv.slice(2);
  if (!file) throw new StepError("usage: node scripts/samples/backup.mjs FILE.tar.gz");
  if (existsSync(file)) throw new StepError(`${file} is there already`);
  const folder = await mkdtemp(join(tmpdir(), "refsync-fixture-"));
  try {
    const facts = await fill(join(folder, "data"));
    await mkdir(join(folder, "archive"));
    const backup = ["backup", join(folder, "archive/backup"), "--data", join(folder, "data")];
    await run(process.execPath, [join(root, "pkg/bin/refsync.js"), ...backup]);
    await writeFile(join(folder, "archive/facts.json"), `${JSON.stringify(facts, null, 2)}\n`);
    await run("tar", ["--create", "--gzip", "--file", resolve(file), "--directory", join(folder, "archive"), "."]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/**
 * Fills a service with a synced repository, an empty one, completed and failed runs, and waiting deliveries.
 *
 * @param {string} data
 */
async function fill(data) {
  const service = await startRefsync(["serve", "--json", "--port", "0", "--allow-private-network", "--data", data]);
  const { url, org, api_key: apiKey } = service.first;
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<Json>}
   */
  const call = async (method, path, body) => {
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const answer = await fetch(`${url}/v1/${org}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new StepError(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  /** @param {string} name */
  const remote = (name) => `${url.replace("://", `://git:${apiKey}@`)}/${org}/${name}.git`;
  const tree = await workTree();
  try {
    await call("POST", "/webhook-targets", {
      url: "http://127.0.0.1:9/hook",
      events: ["sync.completed", "sync.failed"],
    });
    await call("POST", "/repos", { name: "up" });
    await tree.commit("one");
    await tree.git("branch", "release/1");
    await tree.commit("two");
    await tree.git("tag", "-a", "v1", "-m", "v1");
    await tree.git("push", "--quiet", remote("up"), "--all");
    await tree.git("push", "--quiet", remote("up"), "--tags");
    const auth = { kind: "token", token: apiKey };
    await call("POST", "/repos", {
      name: "app",
      tags: { team: "core" },
      upstream: { url: `${url}/${org}/up.git`, auth },
    });
    await call("POST", "/repos", { name: "empty", default_bookmark: "trunk" });
    const gone = { url: `${url}/${org}/gone.git`, auth };
    await call("POST", "/repos", { name: "lost", upstream: gone });
    /** @type {Record<string, Json>} */
    const runs = {};
    for (const name of ["app", "lost"]) {
      const { id } = await call("POST", `/${name}/upstream/syncs`, { direction: "pull" });
      runs[name] = await ended(() => call("GET", `/${name}/upstream/syncs/${id}`));
    }
    const { repos } = await call("GET", "/repos");
    /** @type {Record<string, Json>} */
    const refs = {};
    for (const { name } of repos) refs[name] = await refsOf(remote(name));
    return { org, apiKey, repos, refs, runs };
  } finally {
    await service.stop();
    await tree.remove();
  }
}

/** @param {() => Promise<Json>} show */
async function ended(show) {
  for (let tries = 0; tries < 400; tries += 1) {
    const run = await show();
    if (run.status === "completed" || run.status === "failed") return run;
    await once(AbortSignal.timeout(50), "abort");
  }
  throw new StepError("a run does not end");
}
