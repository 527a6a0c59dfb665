// `refsync worker` without a data folder: it does the runs of repositories on another Git server, and skips hosted
// repositories.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { listen } from "../../../support/network/listen.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { folder, git, refsync, serve, serveWith, terminal, worker, workTree } from "../support.mjs";

/**
 * Receives webhooks, and returns the runs in their events.
 *
 * @param {import("node:test").TestContext} t
 */
async function receiver(t) {
  /** @type {string[]} */
  const told = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    told.push(JSON.parse(body).data.sync.id);
    response.writeHead(204).end();
  });
  const port = await listen(server);
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${port}/`, told };
}

test("a worker without a data folder syncs what lives elsewhere, and never claims a hosted repository", async (t) => {
  const database = await postgres();
  t.after(() => database.stop());
  const elsewhere = await serve(t, join(folder(t), "data"), "--no-worker");
  const auth = { kind: "token", token: elsewhere.apiKey };
  /** @param {string} name */
  const address = (name) => ({ url: `${elsewhere.url}/default/${name}.git`, auth });
  for (const name of ["source", "home"]) await elsewhere.api("POST", "/repos", { name });
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", elsewhere.remote("source"), "--all");

  const env = { REFSYNC_DATABASE_URL: database.url };
  const data = join(folder(t), "data");
  const s = await serveWith(t, env, data, "--no-worker", "--allow-private-network");
  const hook = await receiver(t);
  await s.api("POST", "/webhook-targets", { url: hook.url, events: ["sync.completed"] });
  await s.api("POST", "/repos", { name: "hosted", upstream: address("source") });
  await s.api("POST", "/repos", { name: "app", upstream: address("source"), origin: address("home") });
  /**
   * @param {string} name
   * @param {"pull" | "push"} direction
   */
  const sync = async (name, direction) => {
    const { status, body } = await s.api("POST", `/${name}/upstream/syncs`, { direction });
    assert.equal(status, 201);
    return body.id;
  };
  const hosted = await sync("hosted", "pull");

  const keyless = await refsync(["worker", "--database", database.url]);
  assert.equal(keyless.status, 1);
  assert.match(keyless.stderr, /without --data the secret key comes from REFSYNC_SECRET_KEY/);
  const wrongKey = { ...env, REFSYNC_SECRET_KEY: Buffer.alloc(32, 1).toString("base64") };
  const refused = await refsync(["worker"], wrongKey);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /the secret key is not the one that encrypted this database's secrets/);

  const key = readFileSync(join(data, "secret.key"), "utf8").trim();
  const remote = await worker(t, { ...env, REFSYNC_SECRET_KEY: key }, "--allow-private-network");
  /** @param {string} name */
  const refs = (name) => git(tree, "ls-remote", elsewhere.remote(name), "refs/heads/*");
  const pulled = await terminal(s, await sync("app", "pull"));
  assert.equal(pulled.status, "completed", pulled.error ?? "");
  assert.equal(await refs("home"), await refs("source"));
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "three");
  await git(tree, "push", "--quiet", elsewhere.remote("home"), "main");
  const pushed = await terminal(s, await sync("app", "push"));
  assert.equal(pushed.status, "completed", pushed.error ?? "");
  assert.equal(await refs("source"), await refs("home"));

  const { body: waits } = await s.api("GET", `/hosted/upstream/syncs/${hosted}`);
  assert.deepEqual([waits.status, waits.attempt], ["queued", 1], "it was there first, and was left alone");
  assert.equal(await remote.stop(), 0);
  assert.deepEqual(readdirSync(remote.cwd), [], "it keeps nothing");
  assert.deepEqual(
    remote.records().map(({ event, org, repo, status }) => (event === "sync" ? [org, repo, status] : event)),
    [["default", "app", "completed"], "webhook", ["default", "app", "completed"], "webhook"],
  );
  assert.deepEqual(hook.told, [pulled.id, pushed.id]);

  await worker(t, env, "--data", data, "--allow-private-network");
  const run = await terminal(s, hosted, "hosted");
  assert.equal(run.status, "completed", "one that has the data folder takes it");
  assert.equal(await git(tree, "ls-remote", s.remote("hosted"), "refs/heads/*"), await refs("source"));
});
