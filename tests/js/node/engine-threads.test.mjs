// The engine in threads. A sync that crashes, needs too much memory or never answers fails alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { engineThreads } from "refsync/node";

import { withMaxMemory } from "../../../pkg/dist/node/threads/wasm-memory.js";
import { eventually, git, silentServer, start } from "../service/support.mjs";

const ENGINE = new URL("../../../pkg/dist/wasm/engine/refsync_bg.wasm", import.meta.url);

const network = { allow: ["127.0.0.0/8"] };

/**
 * A service whose engine uses threads with these options. It has `app`, whose upstream is `source`.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("refsync/node").EngineThreadsOptions} options
 */
async function threaded(t, options) {
  const threads = engineThreads({ network, ...options });
  t.after(() => threads.close());
  const backend = await start(t, { service: { engine: { sync: threads.sync, findRef: async () => undefined } } });
  const url = await backend.listen();
  await backend.ok("POST", "/acme/repos", { name: "source" });
  const auth = { kind: "token", token: backend.keys.admin };
  await backend.ok("POST", "/acme/repos", { name: "app", upstream: { url: `${url}/acme/source.git`, auth } });
  await git(backend.folder, "init", "--quiet", "--initial-branch=main", "tree");
  const tree = `${backend.folder}/tree`;
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "one");
  const address = `${url.replace("://", `://git:${backend.keys.admin}@`)}/acme/source.git`;
  await git(tree, "push", "--quiet", address, "main");
  const pull = () => backend.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  return { ...backend, url, pull };
}

test("a sync and a plan run in threads, between a hosted repository and its upstream", async (t) => {
  const backend = await start(t);
  const engine = engineThreads({ repositories: `${backend.folder}/repositories`, network });
  t.after(() => engine.close());
  /** @type {string[]} */
  const seen = [];
  const url = await backend.listen();
  for (const name of ["source", "app"]) await backend.ok("POST", "/acme/repos", { name });
  await git(backend.folder, "init", "--quiet", "--initial-branch=main", "tree");
  await git(`${backend.folder}/tree`, "commit", "--quiet", "--allow-empty", "-m", "one");
  const address = `${url.replace("://", `://git:${backend.keys.admin}@`)}/acme/source.git`;
  await git(`${backend.folder}/tree`, "push", "--quiet", address, "main");
  const { id } = await backend.ok("GET", "/acme/app");
  const source = { url: `${url}/acme/source.git`, username: "git", password: backend.keys.admin, is_hosted: false };
  const destination = { url: `http://git.local/${id}.git`, is_hosted: true };
  /** @param {boolean} plan_only */
  const task = (plan_only) =>
    JSON.stringify({ source, destination, ref_globs: { branches: "*", tags: "*" }, plan_only });
  const signal = new AbortController().signal;
  const planned = JSON.parse(await engine.sync(task(true), () => {}, signal));
  assert.equal(planned.stats.refs[0].outcome, "updated");
  assert.equal(planned.head, "refs/heads/main");
  const done = JSON.parse(await engine.sync(task(false), (progress) => seen.push(JSON.parse(progress).phase), signal));
  assert.deepEqual(done, planned);
  assert.ok(seen.includes("transferring"), `${seen}`);
  const found = await engine.findRef(JSON.stringify(source), "refs/heads/main");
  assert.equal(JSON.parse(found ?? "null").id, done.stats.refs[0].after);
  const refused = await engine
    .sync(task(false).replace("/acme/source.git", "/acme/none.git"), () => {}, signal)
    .catch((e) => e);
  assert.deepEqual([refused.code, refused.side, refused.retryable], ["not_found", "source", false]);
});

test("a thread without memory fails its run twice, and nothing else", async (t) => {
  const { service, ok, pull, call } = await threaded(t, { maxMemory: 1 });
  const { id } = await pull();
  await service.tick();
  const first = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([first.status, first.attempt], ["queued", 2], "it is tried once more");
  await eventually(async () => service.tick());
  const last = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(last.status, "failed");
  assert.match(last.error, /the sync engine stopped while it worked on this: it needed more memory than it may have/);
  const [status, body] = await call("POST", "/acme/app/upstream/plan", { direction: "pull" });
  assert.equal(status, 503, JSON.stringify(body));
  assert.equal((await call("GET", "/whoami"))[0], 200, "the service answers");
});

test("a thread that does not answer is ended", async (t) => {
  // It takes longer to start.
  const { service, ok, pull } = await threaded(t, { answerWithin: 1 });
  const { id } = await pull();
  for (let attempt = 0; attempt < 2; attempt += 1) await eventually(async () => service.tick());
  const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(run.status, "failed");
  assert.match(run.error, /it did not answer for 0\.001 s/);
});

test("a run that takes longer than it may fails, and its lane is free", async (t) => {
  const silent = await silentServer(t);
  /** @type {import("refsync/service").ServiceEngine} */
  const engine = { sync: (...task) => threads.sync(...task), findRef: async () => undefined };
  const { service, ok, folder } = await start(t, { service: { engine, runTimeout: 4_000 } });
  const threads = engineThreads({ repositories: `${folder}/repositories`, network });
  t.after(() => threads.close());
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: silent.url } });
  const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await service.tick();
  const run = await ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(run.status, "failed");
  assert.match(run.error, /took longer than the 4 s/);
  assert.equal(silent.held.length, 1);
  await eventually(() => silent.held[0]?.response.destroyed === true);
});

test("the last lane is not given to a host that has one", async (t) => {
  const silent = await silentServer(t);
  const { service, ok, call } = await start(t);
  for (const name of ["slow1", "slow2"]) {
    await ok("POST", "/acme/repos", { name, upstream: { url: silent.url } });
    await ok("POST", `/acme/${name}/upstream/syncs`, { direction: "pull" });
  }
  await ok("POST", "/acme/repos", { name: "other", upstream: { url: "http://127.0.0.1:9/x.git" } });
  const ticking = service.tick();
  await eventually(() => silent.held.length === 1);
  assert.equal(await service.tick(undefined, true), false, "the second one has the same host");
  const { id } = await ok("POST", "/acme/other/upstream/syncs", { direction: "pull" });
  assert.equal(await service.tick(undefined, true), true);
  const [, other] = await call("GET", `/acme/other/upstream/syncs/${id}`);
  assert.notEqual(other.started_at ?? other.attempt, null);
  silent.hangUp();
  await ticking;
});

test("the last lane is not given to an organisation that has one, if there are others", async (t) => {
  const hosts = [await silentServer(t), await silentServer(t)];
  const { service, ok } = await start(t);
  for (const [n, silent] of hosts.entries()) {
    await ok("POST", "/acme/repos", { name: `slow${n}`, upstream: { url: silent.url } });
    await ok("POST", `/acme/slow${n}/upstream/syncs`, { direction: "pull" });
  }
  const ticking = [service.tick()];
  await eventually(() => hosts.some(({ held }) => held.length === 1));
  await service.ensureOrganization("other");
  assert.equal(await service.tick(undefined, true), false, "the other organisation may want it");
  ticking.push(service.tick());
  await eventually(() => hosts.every(({ held }) => held.length === 1));
  for (const silent of hosts) silent.hangUp();
  await Promise.all(ticking);
});

test("the memory of a module gets a maximum, and the module stays what it was", async () => {
  const code = readFileSync(ENGINE);
  const limited = await WebAssembly.compile(withMaxMemory(code, 64_000_000));
  assert.deepEqual(WebAssembly.Module.exports(limited), WebAssembly.Module.exports(await WebAssembly.compile(code)));
  const minimal = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, 0]);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(withMaxMemory(minimal, 3 * 65536)));
  const memory = /** @type {WebAssembly.Memory} */ (exports.m);
  memory.grow(2);
  assert.throws(() => memory.grow(1), RangeError);
  assert.throws(() => withMaxMemory(minimal.subarray(0, 8), 1), TypeError);
});
