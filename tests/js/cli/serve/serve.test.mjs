import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { folder, git, refsync, serve, terminal, workTree } from "../support.mjs";

/** @import { SyncRunRef, SyncRunStats } from "refsync" */

const zeros = "0".repeat(40);

test("sync brings every ref over, then finds nothing to do, then rejects what diverged and exits with 3", async (t) => {
  const { api, remote } = await serve(t, join(folder(t), "data"));
  for (const name of ["up", "down"]) assert.equal((await api("POST", "/repos", { name })).status, 201);
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", remote("up"), "--all");
  await git(tree, "push", "--quiet", remote("up"), "--tags");

  const first = await refsync(["sync", remote("up"), remote("down")]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /^updated +- +[0-9a-f]{12} +refs\/heads\/release\/1$/m);
  assert.match(first.stdout, /\n4 updated\n$/);
  assert.equal(first.stderr, "", "no progress where stderr is no terminal");
  assert.equal(
    await git(tree, "ls-remote", remote("down"), "refs/*"),
    await git(tree, "ls-remote", remote("up"), "refs/*"),
  );

  const second = await refsync(["sync", "--json", remote("up"), remote("down")]);
  assert.equal(second.status, 0);
  /** @type {SyncRunStats} */
  const stats = JSON.parse(present(second.stdout.trim().split("\n").at(-1)));
  assert.deepEqual([...new Set(stats.refs.map((ref) => ref.outcome))], ["unchanged"]);
  assert.equal(stats.refs.length, 4);

  const old = await git(tree, "rev-parse", "main");
  await git(tree, "commit", "--quiet", "--amend", "--allow-empty", "-m", "other");
  await git(tree, "branch", "--force", "release/1", "main");
  await git(tree, "push", "--quiet", "--force", remote("up"), "main", "release/1");
  const third = await refsync(["sync", "--json", "--branches", "*", remote("up"), remote("down")]);
  assert.equal(third.status, 3);
  /** @type {SyncRunStats} */
  const { refs } = JSON.parse(third.stdout);
  assert.deepEqual(refs.map(({ name, outcome, after }) => [name, outcome, after]).sort(), [
    ["refs/heads/main", "rejected", old],
    ["refs/heads/release/1", "updated", await git(tree, "rev-parse", "release/1")],
  ]);
});

test("credentials come from the environment, and a wrong one is a failure that does not repeat them", async (t) => {
  const { api, remote, apiKey, url, org } = await serve(t, join(folder(t), "data"));
  for (const name of ["up", "down"]) await api("POST", "/repos", { name });
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", remote("up"), "main");
  const args = ["sync", "--json", `${url}/${org}/up.git`, `${url}/${org}/down.git`];
  const right = await refsync(args, { REFSYNC_SOURCE_TOKEN: apiKey, REFSYNC_DESTINATION_PASSWORD: apiKey });
  assert.equal(right.status, 0, right.stderr);
  const wrong = await refsync(args, { REFSYNC_SOURCE_TOKEN: "s3cret", REFSYNC_DESTINATION_PASSWORD: apiKey });
  assert.equal(wrong.status, 1);
  assert.doesNotMatch(wrong.stdout + wrong.stderr, new RegExp(`s3cret|${apiKey}`));
});

test("a pull through the API brings the upstream's refs, and a stop and a start keep everything", async (t) => {
  const data = join(folder(t), "data");
  const before = await serve(t, data, "--allow-private-network");
  await before.api("POST", "/repos", { name: "up" });
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", before.remote("up"), "main", "v1");
  const upstream = { url: `${before.url}/default/up.git`, auth: { kind: "token", token: before.apiKey } };
  assert.equal((await before.api("POST", "/repos", { name: "app", upstream })).status, 201);
  const created = await before.api("POST", "/app/upstream/syncs", { direction: "pull" });
  assert.equal(created.status, 201);
  const run = await terminal(before, created.body.id);
  assert.equal(run.status, "completed", run.error ?? "");
  assert.deepEqual(
    run.stats.refs.map((/** @type {SyncRunRef} */ ref) => ref.outcome),
    ["updated", "updated"],
  );
  assert.ok(run.stats.refs.every((/** @type {SyncRunRef} */ ref) => ref.before === null && ref.after !== zeros));
  assert.equal(await before.stop(), 0, "a stop is not a failure");
  assert.equal(existsSync(join(data, "lock")), false);

  const after = await serve(t, data);
  assert.equal(after.apiKey, before.apiKey);
  assert.deepEqual((await after.api("GET", `/app/upstream/syncs/${run.id}`)).body, run);
  assert.equal(
    await git(tree, "ls-remote", after.remote("app"), "refs/heads/main"),
    `${await git(tree, "rev-parse", "main")}\trefs/heads/main`,
  );
});

test("without --allow-private-network an upstream on loopback fails the run and says what to do", async (t) => {
  const service = await serve(t, join(folder(t), "data"));
  const upstream = { url: `${service.url}/default/app.git` };
  const made = await service.api("POST", "/repos", { name: "app", upstream });
  if (made.status !== 201) return assert.match(JSON.stringify(made.body), /--allow-private-network/);
  const created = await service.api("POST", "/app/upstream/syncs", { direction: "pull" });
  const run = await terminal(service, created.body.id);
  assert.equal(run.status, "failed");
  assert.match(run.error, /127\.0\.0\.1 is not a public address.*--allow-private-network/);
});

test("a data folder has one process; the lock of a killed one is taken over", async (t) => {
  const data = join(folder(t), "data");
  const first = await serve(t, data);
  const second = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`process ${first.pid} uses this data folder`));
  await first.stop("SIGKILL");
  assert.ok(existsSync(join(data, "lock")), "a killed process leaves its lock");
  const third = await serve(t, data);
  assert.equal(third.apiKey, first.apiKey);
  assert.equal(await third.stop(), 0);
});

test("keys are readable by their owner alone, and stay the same", async (t) => {
  const data = join(folder(t), "data");
  const first = await serve(t, data);
  for (const name of ["secret.key", "api-key"]) assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  assert.equal(readFileSync(join(data, "api-key"), "utf8"), `${first.apiKey}\n`);
  await first.stop("SIGINT");
  const second = await serve(t, data);
  assert.equal(second.apiKey, first.apiKey);
  assert.equal((await second.api("GET", "/repos")).status, 200);
});

test("a port that is taken is a clear failure, and the data folder is free again", async (t) => {
  const { url } = await serve(t, join(folder(t), "data"));
  const data = join(folder(t), "other");
  const second = await refsync(["serve", "--port", new URL(url).port, "--data", data]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /EADDRINUSE/);
  assert.equal(existsSync(join(data, "lock")), false);
});
