import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const bin = fileURLToPath(new URL("../../../pkg/bin/refsync.js", import.meta.url));
const zeros = "0".repeat(40);

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "refsync-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** Runs the command to its end. */
async function refsync(args, env = {}) {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { ...said, status };
}

/** Starts `refsync serve`; gives what its first line says. */
async function serve(t, data, ...flags) {
  const child = spawn(process.execPath, [bin, "serve", "--json", "--port", "0", "--data", data, ...flags]);
  const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    return ended;
  };
  t.after(() => stop("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise((resolve) => lines.once("line", resolve)),
    ended.then((code) => assert.fail(`refsync serve ended with ${code}: ${errors}`)),
  ]);
  const { url, org, api_key: apiKey } = JSON.parse(first);
  const api = async (method, path, body) => {
    const response = await fetch(`${url}/v1/${org}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const remote = (repo) => `${url.replace("://", `://git:${apiKey}@`)}/${org}/${repo}.git`;
  return { url, org, apiKey, api, remote, stop, pid: child.pid };
}

async function git(cwd, ...args) {
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" };
  const { stdout } = await promisify(execFile)("git", [...identity, ...args], { cwd, env });
  return stdout.trim();
}

/** A repository with two branches and both kinds of tags. */
async function workTree(t) {
  const path = folder(t);
  await git(path, "init", "--quiet", "--initial-branch=main");
  await git(path, "commit", "--quiet", "--allow-empty", "-m", "one");
  await git(path, "tag", "light");
  await git(path, "branch", "release/1");
  await git(path, "commit", "--quiet", "--allow-empty", "-m", "two");
  await git(path, "tag", "-a", "v1", "-m", "v1");
  return path;
}

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
  const stats = JSON.parse(second.stdout.trim().split("\n").at(-1));
  assert.deepEqual([...new Set(stats.refs.map((ref) => ref.outcome))], ["unchanged"]);
  assert.equal(stats.refs.length, 4);

  const old = await git(tree, "rev-parse", "main");
  await git(tree, "commit", "--quiet", "--amend", "--allow-empty", "-m", "other");
  await git(tree, "branch", "--force", "release/1", "main");
  await git(tree, "push", "--quiet", "--force", remote("up"), "main", "release/1");
  const third = await refsync(["sync", "--json", "--branches", "*", remote("up"), remote("down")]);
  assert.equal(third.status, 3);
  const refs = JSON.parse(third.stdout).refs;
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
  assert.equal(run.status, "completed", run.error);
  assert.deepEqual(
    run.stats.refs.map((ref) => ref.outcome),
    ["updated", "updated"],
  );
  assert.ok(run.stats.refs.every((ref) => ref.before === null && ref.after !== zeros));
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

async function terminal(service, id) {
  for (let waited = 0; waited < 20_000; waited += 50) {
    const { body } = await service.api("GET", `/app/upstream/syncs/${id}`);
    if (body.status === "completed" || body.status === "failed") return body;
    await delay(50);
  }
  return assert.fail("the run does not end");
}

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
  await third.stop();
  // A process id that somebody else has by now: the start time tells.
  writeFileSync(join(data, "lock"), `${process.pid} 1\n`);
  assert.equal(await (await serve(t, data)).stop(), 0);
});

test("keys are readable by their owner alone, and a lost database gets a new key", async (t) => {
  const data = join(folder(t), "data");
  const first = await serve(t, data);
  for (const name of ["secret.key", "api-key"]) assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  assert.equal(readFileSync(join(data, "api-key"), "utf8"), `${first.apiKey}\n`);
  await first.stop("SIGINT");
  rmSync(join(data, "database"), { recursive: true });
  const second = await serve(t, data);
  assert.notEqual(second.apiKey, first.apiKey);
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
