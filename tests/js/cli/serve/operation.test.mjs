import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { eventually } from "../../../support/eventually.mjs";
import { listen } from "../../../support/network/listen.mjs";
import { folder, git, refsync, serve, serveWith, terminal, workTree } from "../support.mjs";

/** @import { Json } from "../../../support/json.mjs" */

/**
 * A webhook receiver. Returns the deliveries.
 *
 * @param {import("node:test").TestContext} t
 */
async function receive(t) {
  /** @type {Json[]} */
  const events = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    events.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(204).end();
  });
  const port = await listen(server);
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${port}/?token=planted`, events };
}

test("each request, run and delivery is one line of JSON with a trace id, a status and how long it took", async (t) => {
  const s = await serve(t, join(folder(t), "data"), "--allow-private-network");
  const receiver = await receive(t);
  await s.api("POST", "/webhook-targets", { url: receiver.url, events: ["sync.completed"] });
  await s.api("POST", "/repos", { name: "up" });
  await git(await workTree(t), "push", "--quiet", s.remote("up"), "main");
  const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
  await s.api("POST", "/repos", { name: "app", upstream });
  const { body: created } = await s.api("POST", "/app/upstream/syncs", { direction: "pull" });
  assert.equal((await terminal(s, created.id)).status, "completed");
  await eventually(() => receiver.events.length === 1, { within: 20_000 });
  assert.equal(receiver.events[0].repository.url, `${s.url}/default/app.git`, "a whole URL, also on a free port");
  const parent = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { authorization: `Bearer ${s.apiKey}`, traceparent: `00-${parent}-00f067aa0ba902b7-01` };
  await fetch(`${s.url}/v1/nobody?secret=planted`, { headers });
  await fetch(`${s.url}/healthz`);
  assert.equal(await s.stop(), 0);

  const records = s.records();
  for (const { time, level, event, ...rest } of records) {
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 600_000, time);
    assert.match(level, /^(info|warn|error)$/);
    assert.match(event, /^(request|sync|webhook)$/, JSON.stringify(rest));
    assert.match(rest.trace_id, /^([0-9a-f]{16}|[0-9a-f]{32})$/);
    assert.ok(Number.isInteger(rest.duration_ms) && rest.duration_ms >= 0);
  }
  const [run] = records.filter(({ event }) => event === "sync");
  const { time, level, trace_id: runTrace, duration_ms: took, ...told } = run;
  assert.deepEqual(told, {
    event: "sync",
    sync_id: created.id,
    repo_id: created.repo_id,
    org: "default",
    repo: "app",
    direction: "pull",
    attempt: 1,
    status: "completed",
    refs: { updated: 1, unchanged: 0, filtered: 0, rejected: 0 },
  });
  const requests = records.filter(({ event }) => event === "request");
  const paths = requests.map(({ method, path, status }) => `${method} ${path} ${status}`);
  assert.ok(paths.includes("POST /v1/default/app/upstream/syncs 201"), paths.join("\n"));
  assert.ok(paths.includes("POST /default/up.git/git-receive-pack 200"), "Git's requests, too");
  assert.ok(paths.includes("GET /v1/nobody 403"), "without its query");
  assert.ok(!paths.some((path) => path.includes("healthz")), "a probe that is well is no news");
  assert.equal(requests.find(({ path }) => path === "/v1/nobody").trace_id, parent, "the caller's own");
  const [delivery] = records.filter(({ event }) => event === "webhook");
  assert.deepEqual([delivery.type, delivery.attempt, delivery.status], ["sync.completed", 1, "delivered"]);
  assert.doesNotMatch(s.log(), /planted/);
});

test("flags reach the service: its public address, CORS, rate limits, metrics, and lines of text", async (t) => {
  const flags = ["--public-url", "https://sync.example.com/", "--allow-origin", "https://app.example.com"];
  const more = ["--rate-limit", "0.01:6", "--metrics", "--log", "text", "--allow-range", "127.0.0.1/32"];
  const s = await serve(t, join(folder(t), "data"), ...flags, ...more);
  const receiver = await receive(t);
  await s.api("POST", "/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  await s.api("POST", "/repos", { name: "app" });
  await eventually(() => receiver.events.length === 1, { within: 20_000 });
  assert.equal(receiver.events[0].repository.url, "https://sync.example.com/default/app.git");
  assert.match(await (await fetch(`${s.url}/metrics`)).text(), /^refsync_repos 1$/m);
  const page = await fetch(`${s.url}/healthz`, { headers: { origin: "https://app.example.com" } });
  assert.equal(page.headers.get("access-control-allow-origin"), "https://app.example.com");
  let last;
  for (let calls = 0; calls < 7 && last !== 429; calls += 1) last = (await s.api("GET", "/repos")).status;
  assert.equal(last, 429);
  assert.equal(await s.stop(), 0);
  assert.match(s.log(), /^\d\d:\d\d:\d\d\.\d{3} POST \/v1\/default\/repos 201 \d+ ms$/m);
});

test("a flag that is none says what it must be", async () => {
  /** @type {[flag: string, value: string, says: RegExp][]} */
  const bad = [
    ["--public-url", "sync.example.com", /http or https URL/],
    ["--public-url", "https://user:planted@h/", /http or https URL/],
    ["--rate-limit", "0", /above 0/],
    ["--rate-limit", "many", /above 0/],
    ["--log", "xml", /json, text/],
  ];
  for (const [flag, value, says] of bad) {
    const { status, stderr } = await refsync(["serve", flag, value]);
    assert.equal(status, 2, `${flag} ${value}: ${stderr}`);
    assert.match(stderr, says);
  }
});

test("the secret key may come from the environment, moves over from the folder's, and a wrong one is refused", async (t) => {
  const data = join(folder(t), "data");
  const upstream = { url: "https://git.example.com/x.git", auth: { kind: "token", token: "planted-token" } };
  const first = await serve(t, data);
  await first.api("POST", "/repos", { name: "app", upstream });
  await first.stop();

  const key = () => randomBytes(32).toString("base64");
  const [one, two] = [key(), key()];
  const second = await serveWith(t, { REFSYNC_SECRET_KEY: one }, data);
  await second.stop();
  assert.match(second.log(), /1 stored secrets were encrypted again, 0 cannot be read/);
  const third = await serveWith(t, { REFSYNC_SECRET_KEY: two, REFSYNC_PREVIOUS_SECRET_KEYS: one }, data);
  await third.stop();
  assert.match(third.log(), /1 stored secrets were encrypted again/);

  const wrong = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /the secret key is not the one that encrypted this database's secrets/);
  const short = await refsync(["serve", "--port", "0", "--data", data], { REFSYNC_SECRET_KEY: "c2hvcnQ=" });
  assert.match(short.stderr, /REFSYNC_SECRET_KEY: must be 32 bytes in base64/);
  const lost = await serve(t, data, "--accept-lost-key");
  assert.equal((await lost.api("GET", "/app")).body.upstream.auth_kind, "token");
  assert.equal(await lost.stop(), 0);
});

test("rotate-key gives the folder a new key, and an interrupted one is finished by the next start", async (t) => {
  const data = join(folder(t), "data");
  const upstream = { url: "https://git.example.com/x.git", auth: { kind: "token", token: "planted-token" } };
  const first = await serve(t, data);
  await first.api("POST", "/repos", { name: "app", upstream });
  const busy = await refsync(["rotate-key", "--data", data]);
  assert.match(busy.stderr, /uses this data folder; stop it/);
  await first.stop();
  const key = () => readFileSync(join(data, "secret.key"), "utf8");
  const before = key();
  const rotated = await refsync(["rotate-key", "--data", data]);
  assert.equal(rotated.status, 0, rotated.stderr);
  assert.notEqual(key(), before);
  assert.equal(key().trim().split("\n").length, 1);
  const second = await serve(t, data);
  assert.equal((await second.api("GET", "/app")).status, 200);
  assert.doesNotMatch(second.log(), /encrypted again/);
  await second.stop();
  // The state after an interrupted rotate-key.
  writeFileSync(join(data, "secret.key"), `${randomBytes(32).toString("base64")}\n${key()}`);
  const third = await serve(t, data);
  await third.stop();
  assert.match(third.log(), /1 stored secrets were encrypted again, 0 cannot be read/);
});

test("rotate-key seals an origin's credential anew, and a sync works with it; with a wrong key it does not", async (t) => {
  const elsewhere = await serve(t, join(folder(t), "elsewhere"), "--no-worker");
  const tree = await workTree(t);
  const auth = { kind: "token", token: elsewhere.apiKey };
  /** @param {string} name */
  const address = (name) => ({ url: `${elsewhere.url}/default/${name}.git`, auth });
  for (const name of ["source", "home"]) await elsewhere.api("POST", "/repos", { name });
  /** @param {string} name */
  const refs = (name) => git(tree, "ls-remote", elsewhere.remote(name), "refs/heads/*");
  /** @param {import("../support.mjs").Served} s */
  const pull = async (s) => {
    await git(tree, "commit", "--quiet", "--allow-empty", "-m", "more");
    await git(tree, "push", "--quiet", elsewhere.remote("source"), "main");
    const { body } = await s.api("POST", "/app/upstream/syncs", { direction: "pull" });
    return terminal(s, body.id);
  };
  const data = join(folder(t), "data");
  /** @param {string[]} flags */
  const start = (...flags) => serve(t, data, "--allow-private-network", ...flags);
  const first = await start();
  await first.api("POST", "/repos", { name: "app", upstream: address("source"), origin: address("home") });
  await first.stop();
  const before = readFileSync(join(data, "secret.key"), "utf8");
  const rotated = await refsync(["rotate-key", "--data", data]);
  assert.equal(rotated.status, 0, rotated.stderr);
  assert.notEqual(readFileSync(join(data, "secret.key"), "utf8"), before, "the key before is not there any more");

  const second = await start();
  assert.equal((await pull(second)).status, "completed");
  assert.equal(await refs("home"), await refs("source"));
  await second.stop();

  writeFileSync(join(data, "secret.key"), before);
  const refused = await refsync(["serve", "--port", "0", "--data", data]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /the secret key is not the one that encrypted this database's secrets/);
  const lost = await start("--accept-lost-key");
  assert.match(lost.log(), /0 stored secrets were encrypted again, 2 cannot be read and have to be set again/);
  await lost.api("PATCH", "/app", { upstream: address("source") });
  const failed = await pull(lost);
  assert.equal(failed.status, "failed");
  assert.match(failed.error, /the stored origin credential cannot be read .*; set origin\.auth again/);
  await lost.api("PATCH", "/app", { origin: address("home") });
  const run = await pull(lost);
  assert.equal(run.status, "completed", run.error ?? "");
  assert.equal(await refs("home"), await refs("source"));
});
