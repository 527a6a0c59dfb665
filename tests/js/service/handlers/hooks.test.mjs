// The hook of an upstream. The hosts' calls are signed here with Node's own crypto.
import assert from "node:assert/strict";
import { test } from "node:test";

import { work } from "refsync/node";

import { present } from "../../../support/present.mjs";
import { onBoth } from "../databases.mjs";
import { mirror } from "../policy/mirror.mjs";
import { eventually, fields, start } from "../support.mjs";
import { hosts, signed } from "./hosts.mjs";

/**
 * @import { HookCall } from "./hosts.mjs"
 * @import { Started } from "../support.mjs"
 */

/**
 * Calls a hook, and returns the status and the answer.
 *
 * @param {Pick<Started, "service">} s
 * @param {string} url
 * @param {HookCall} call
 * @returns {Promise<import("../support.mjs").Answer>}
 */
async function callHook({ service }, url, { headers, body }) {
  const response = await service.fetch(
    new Request(new URL(url, "http://service.test"), { method: "POST", headers, body }),
  );
  return [response.status, await response.json(), response];
}

/**
 * A mirror whose upstream has a hook.
 *
 * @param {import("node:test").TestContext} t
 * @param {Parameters<typeof mirror>[1]} where
 */
async function hooked(t, where) {
  const s = await mirror(t, where);
  /** @type {{ url: string, secret: string }} */
  const { url, secret } = await s.ok("POST", "/acme/app/upstream/hook", undefined, { key: s.keys.write });
  return {
    ...s,
    url,
    secret,
    /** @param {HookCall} call */
    hook: (call) => callHook(s, url, call),
    /** Whether a run waits. */
    queued: async () => {
      const [{ n }] = await s.sql("SELECT count(*)::int AS n FROM refsync.syncs WHERE status = 'queued'");
      return n;
    },
    /** Lets the run that waits start at once, and does it. */
    tick: async () => {
      await s.sql("UPDATE refsync.syncs SET run_after = now() WHERE status = 'queued'");
      return s.service.tick();
    },
  };
}

onBoth("each host's call after a push queues one pull, which brings the pushed branch", async (t, where) => {
  const s = await hooked(t, where);
  let parent = s.root;
  for (const [host, call] of Object.entries(hosts)) {
    parent = await s.source.commit(host, parent);
    await s.source.git("update-ref", "refs/heads/main", parent);
    const first = await s.hook(call(s.secret, "refs/heads/main"));
    assert.deepEqual(first.slice(0, 2), [200, { status: "queued" }], host);
    assert.deepEqual((await s.hook(call(s.secret, "refs/tags/v1")))[1], { status: "queued" }, `${host}: a tag`);
    assert.equal(await s.queued(), 1, `${host}: the second call joins the run`);
    assert.equal(await s.tick(), true);
    assert.equal((await s.local.refs()).get("refs/heads/main"), parent, host);
    const { direction, ref_globs } = (await s.ok("GET", "/acme/app")).upstream.latest_sync;
    assert.deepEqual([direction, ref_globs], ["pull", { branches: "*", tags: "*" }]);
  }
});

onBoth("a call with a wrong signature, or without one, is refused and queues nothing", async (t, where) => {
  const s = await hooked(t, where);
  for (const [host, call] of Object.entries(hosts)) {
    const good = call(s.secret, "refs/heads/main");
    const wrong = [
      call(`${s.secret}x`, "refs/heads/main"),
      { ...good, body: good.body.replace("main", "nice") },
      {
        ...good,
        headers: Object.fromEntries(Object.entries(good.headers).filter(([name]) => !/signature|token/.test(name))),
      },
      {
        ...good,
        headers: {
          ...good.headers,
          "x-hub-signature": "sha1=00",
          "x-hub-signature-256": "sha256=",
          "x-gitlab-token": "",
        },
      },
    ];
    // GitLab's token does not sign the body. The others have another signature that is right.
    const refused = host === "GitLab" ? [wrong[0], wrong[2], wrong[3]] : wrong.slice(0, 3);
    for (const [n, one] of refused.entries()) {
      const [status, body] = await s.hook(present(one));
      assert.deepEqual([status, body.error.code], [401, "UNAUTHENTICATED"], `${host} ${n}`);
    }
  }
  assert.equal(await s.queued(), 0);
  const call = present(hosts.GitHub)(s.secret, "refs/heads/main");
  const shouted = {
    ...call.headers,
    "x-hub-signature-256": present(call.headers["x-hub-signature-256"]).toUpperCase().replace("SHA256", "sha256"),
  };
  assert.equal((await s.hook({ ...call, headers: shouted }))[0], 200, "hexadecimal digits may be in upper case");
});

onBoth("an unknown hook is answered with 404, whatever it sends", async (t, where) => {
  const s = await hooked(t, where);
  const elsewhere = s.url.replace(/.{4}$/, "0000");
  const [, wrong] = await s.hook(signed("wrong", "push", "{"));
  for (const call of [signed(s.secret, "push", "{}"), signed("wrong", "push", "{")]) {
    const [status, body] = await callHook(s, elsewhere, call);
    assert.deepEqual([status, body.error.code], [404, "NOT_FOUND"]);
    assert.deepEqual(Object.keys(body.error), Object.keys(wrong.error), "the same form as a wrong signature");
  }
});

onBoth("a person who opens the address of a hook is told that it takes POST only", async (t, where) => {
  const s = await hooked(t, where);
  const [status, body] = await s.call("GET", s.url.replace("/v1", ""), undefined, { key: null });
  assert.equal(status, 404);
  assert.match(body.error.message, /takes POST only/);
});

onBoth("a sync that somebody asks for does not wait for more events of the hook", async (t, where) => {
  const s = await hooked(t, where);
  assert.equal((await s.hook(signed(s.secret, "push", '{"ref":"refs/heads/main"}')))[0], 200);
  // Later than the two seconds that a run waits, so that the test does not depend on its own speed.
  await s.sql("UPDATE refsync.syncs SET run_after = now() + interval '1 hour' WHERE status = 'queued'");
  assert.equal(await s.service.tick(), false);
  assert.equal((await s.sync()).status, "completed");
  assert.equal(await s.queued(), 0, "it is the same run");
});

onBoth("a test of the address is answered with 200, and an event that is no push with 202", async (t, where) => {
  const s = await hooked(t, where);
  for (const event of ["ping", "diagnostics:ping"]) {
    assert.deepEqual((await s.hook(signed(s.secret, event, '{"zen":"Keep it simple."}'))).slice(0, 2), [
      200,
      { status: "ok" },
    ]);
  }
  for (const event of ["issues", "Merge Request Hook", "repo:fork", "constructor", ""]) {
    const [status, { status: word, reason }] = await s.hook(signed(s.secret, event, '{"ref":"refs/heads/main"}'));
    assert.deepEqual([status, word], [202, "ignored"], event);
    assert.match(reason, /no event of a push/);
  }
  assert.equal(await s.queued(), 0);
});

onBoth("a payload that is not valid is refused, and the answer names the field", async (t, where) => {
  const s = await hooked(t, where);
  /** @type {[event: string, body: string, field: string][]} */
  const bad = [
    ["push", "{", "body"],
    ["push", "", "body"],
    ["ping", "not JSON", "body"],
    ["push", "null", "ref"],
    ["push", "[]", "ref"],
    ["push", '{"ref":7}', "ref"],
    ["Push Hook", "{}", "ref"],
    ["repo:push", "{}", "push.changes"],
    ["repo:push", '{"push":{"changes":{}}}', "push.changes"],
    ["repo:push", '{"push":{"changes":[{"new":{"type":"branch","name":"a"}},{}]}}', "push.changes[1]"],
    ["repo:refs_changed", '{"changes":[{"ref":{}}]}', "changes[0]"],
  ];
  for (const [event, body, field] of bad) {
    const answer = await s.hook(signed(s.secret, event, body));
    assert.deepEqual([answer[0], fields(answer)], [400, [field]], `${event} ${body}`);
  }
  const form = signed(s.secret, "push", "other=1");
  const answer = await s.hook({
    ...form,
    headers: { ...form.headers, "content-type": "application/x-www-form-urlencoded" },
  });
  assert.deepEqual([answer[0], fields(answer)], [400, ["payload"]]);
  const [status, { error }] = await s.hook(signed(s.secret, "push", " ".repeat(5 * 1024 * 1024 + 1)));
  assert.deepEqual([status, error.code], [413, "PAYLOAD_TOO_LARGE"]);
  assert.equal(await s.queued(), 0);
});

onBoth("the schedule's globs select the pushes of a hook, and a paused upstream is left alone", async (t, where) => {
  const s = await hooked(t, where);
  const { url } = s.app.upstream;
  const schedule = { every: "30d", ref_globs: { branches: "release/*", tags: "v*" } };
  await s.ok("PATCH", "/acme/app", { upstream: { url, schedule } });
  const github = present(hosts.GitHub);
  const [status, { reason }] = await s.hook(github(s.secret, "refs/heads/main"));
  assert.equal(status, 202);
  assert.match(reason, /ref_globs/);
  assert.equal((await s.hook(github(s.secret, "refs/notes/commits")))[0], 202);
  assert.equal(await s.queued(), 0);
  await s.sql("UPDATE refsync.repos SET upstream_paused_at = now()");
  assert.equal((await s.hook(github(s.secret, "refs/tags/v2")))[0], 202);
  await s.sql("UPDATE refsync.repos SET upstream_paused_at = NULL");
  assert.equal((await s.hook(github(s.secret, "refs/heads/release/1")))[0], 200);
  const { ref_globs } = (await s.ok("GET", "/acme/app")).upstream.latest_sync;
  assert.deepEqual(ref_globs, schedule.ref_globs);
});

onBoth("the secret is shown once; a new one ends the old one, and a deleted hook is gone", async (t, where) => {
  const s = await hooked(t, where);
  const push = present(hosts.Gitea);
  assert.match(s.url, /^\/v1\/hooks\/hook_[0-9a-f]{28}$/);
  const { upstream } = await s.ok("GET", "/acme/app", undefined, { key: s.keys.read });
  assert.deepEqual(upstream.hook, { url: s.url });
  const everything = JSON.stringify([await s.ok("GET", "/acme/repos"), await s.ok("GET", "/acme/app"), s.lines]);
  assert.ok(!everything.includes(s.secret));
  const stored = JSON.stringify(await s.sql("SELECT * FROM refsync.repos"));
  assert.ok(!stored.includes(s.secret), "it is stored encrypted");
  const again = await s.ok("POST", "/acme/app/upstream/hook");
  assert.equal(again.url, s.url, "the address stays");
  assert.notEqual(again.secret, s.secret);
  assert.equal((await s.hook(push(s.secret, "refs/heads/main")))[0], 401);
  assert.equal((await s.hook(push(again.secret, "refs/heads/main")))[0], 200);
  assert.deepEqual(await s.ok("DELETE", "/acme/app/upstream/hook"), { success: true });
  assert.equal((await s.hook(push(again.secret, "refs/heads/main")))[0], 404);
  assert.equal((await s.call("DELETE", "/acme/app/upstream/hook"))[0], 404);
  assert.equal((await s.ok("GET", "/acme/app")).upstream.hook, undefined);
  const other = await s.ok("POST", "/acme/app/upstream/hook");
  assert.notEqual(other.url, s.url, "a new hook has a new address");
  await s.ok("PATCH", "/acme/app", { upstream: { url: `${upstream.url}x` } });
  assert.deepEqual((await s.ok("GET", "/acme/app")).upstream.hook, { url: other.url }, "it stays with another URL");
  await s.ok("PATCH", "/acme/app", { upstream: null });
  assert.equal(
    (await callHook(s, other.url, push(other.secret, "refs/heads/main")))[0],
    404,
    "it goes with the upstream",
  );
  const [status, { error }] = await s.call("POST", "/acme/app/upstream/hook");
  assert.deepEqual([status, error.code], [409, "UPSTREAM_NOT_CONFIGURED"]);
  assert.equal((await s.call("POST", "/acme/app/upstream/hook", undefined, { key: s.keys.read }))[0], 403);
});

test("the address of a hook begins with the service's public address", async (t) => {
  const s = await start(t, { service: { publicUrl: "https://sync.example.com/" } });
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "https://github.com/acme/app.git" } });
  const { url } = await s.ok("POST", "/acme/app/upstream/hook");
  assert.match(url, /^https:\/\/sync\.example\.com\/v1\/hooks\/hook_/);
  assert.equal((await s.ok("GET", "/acme/app")).upstream.hook.url, url);
  assert.equal((await s.ok("GET", "/acme/repos")).repos[0].upstream.hook.url, url);
  const renamed = await s.ok("PATCH", "/acme/app", { name: "other" });
  assert.equal(renamed.upstream.hook.url, url);
});

onBoth("many calls at once queue one run besides the one in progress, and the last push arrives", async (t, where) => {
  const s = await hooked(t, where);
  const stop = new AbortController();
  const worker = work(s.service, { signal: stop.signal, pollInterval: 100 });
  t.after(() => stop.abort());
  const github = present(hosts.GitHub);
  let parent = s.root;
  let most = 0;
  for (let round = 0; round < 20; round += 1) {
    parent = await s.source.commit(`round ${round}`, parent);
    await s.source.git("update-ref", "refs/heads/main", parent);
    const calls = Array.from({ length: 20 }, () => s.hook(github(s.secret, "refs/heads/main")));
    for (const [status] of await Promise.all(calls)) assert.equal(status, 200);
    most = Math.max(most, await s.queued());
  }
  assert.ok(most <= 1, `${most} runs were queued`);
  await eventually(async () => (await s.local.refs()).get("refs/heads/main") === parent);
  stop.abort();
  await worker.stopped;
  const runs = await s.sql("SELECT created_at, run_after FROM refsync.syncs ORDER BY seq");
  for (const [n, { run_after }] of runs.entries()) {
    const gap = n < 2 ? 2000 : run_after - runs[n - 1]?.created_at;
    assert.ok(gap >= 1990, `run ${n} starts ${gap} ms after the one before was queued`);
  }
});
