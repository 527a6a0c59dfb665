// Webhook targets: the API makes, shows and refuses them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { start } from "../support.mjs";

/** @import { WebhookTarget } from "refsync" */

test("a target is made, shown, changed, listed and deleted; its secret is shown once and sealed", async (t) => {
  const { call, ok, sql, keys, service } = await start(t);
  const url = "https://hooks.example.com/in?x=1";
  const [status, made] = await call("POST", "/acme/webhook-targets", { url });
  assert.equal(status, 201);
  const { secret, ...target } = made;
  assert.match(secret, /^whsec_[\w-]{43}$/);
  const { id, created_at, updated_at, ...rest } = target;
  assert.deepEqual(rest, { name: null, url, events: ["push"], repo_ids: null });
  assert.equal(created_at, updated_at);
  const path = `/acme/webhook-targets/${id}`;
  assert.deepEqual(await ok("GET", path), target);
  assert.ok(!JSON.stringify(await sql("SELECT * FROM refsync.webhook_targets")).includes(secret.slice(6)));

  const repo = await ok("POST", "/acme/repos", {});
  const events = ["sync.completed", "push", "bookmark.moved", "change.evolved"];
  let changed = await ok("PATCH", path, { name: "hook", events, repo_ids: [repo.id] });
  assert.deepEqual([changed.name, changed.events, changed.repo_ids, changed.url], ["hook", events, [repo.id], url]);
  changed = await ok("PATCH", path, {});
  assert.deepEqual(changed.repo_ids, [repo.id]);
  changed = await ok("PATCH", path, { repo_ids: null, name: null, url: "http://other.example.com" });
  assert.deepEqual([changed.repo_ids, changed.name, changed.url], [null, null, "http://other.example.com"]);

  for (let n = 0; n < 3; n += 1) await ok("POST", "/acme/webhook-targets", { url, name: `${n}` });
  const page = await ok("GET", "/acme/webhook-targets?limit=2");
  assert.deepEqual(
    [page.webhook_targets.map((/** @type {WebhookTarget} */ { name }) => name), page.has_more],
    [["2", "1"], true],
  );
  const last = await ok("GET", `/acme/webhook-targets?limit=2&cursor=${page.next_cursor}`);
  assert.deepEqual([last.webhook_targets.length, last.next_cursor], [2, null]);

  assert.deepEqual(await ok("DELETE", path), { success: true });
  for (const { method, suffix } of [
    { method: "GET", suffix: "" },
    { method: "PATCH", suffix: "" },
    { method: "DELETE", suffix: "" },
    { method: "POST", suffix: "/rotate-secret" },
  ]) {
    assert.equal((await call(method, path + suffix, method === "PATCH" ? {} : undefined))[0], 404, method);
  }
  for (const key of [keys.read, keys.write]) {
    assert.equal((await call("GET", "/acme/webhook-targets", undefined, { key }))[0], 403);
  }
  await service.ensureOrganization("other");
  const key = await service.createApiKey("other", "admin");
  const { webhook_targets } = await ok("GET", "/acme/webhook-targets");
  assert.equal((await call("GET", `/other/webhook-targets/${webhook_targets[0].id}`, undefined, { key }))[0], 404);
});

test("each bad field of a target is named", async (t) => {
  const { call, ok } = await start(t);
  const url = "https://hooks.example.com/in";
  const { id } = await ok("POST", "/acme/webhook-targets", { url });
  const bad = [
    ...[
      "",
      "hooks.example.com",
      "ftp://h/x",
      "https://u:p@h/x",
      "https://h/#f",
      "https://h/?a=b#c",
      "https://h/ x",
    ].map((url) => [{ url }, "url"]),
    [{ url: 5 }, "url"],
    [{ url, name: "" }, "name"],
    [{ url, name: "a\0" }, "name"],
    [{ url, events: [] }, "events"],
    [{ url, events: ["sync.done"] }, "events"],
    [{ url, events: ["*"] }, "events"],
    [{ url, events: ["bookmark."] }, "events"],
    [{ url, events: ["push", "push"] }, "events"],
    [{ url, events: "push" }, "events"],
    [{ url, repo_ids: [] }, "repo_ids"],
    [{ url, repo_ids: ["repo_unknown"] }, "repo_ids"],
    [{ url, repo_ids: ["a\0"] }, "repo_ids"],
  ];
  for (const [body, field] of bad) {
    for (const { method, path } of [
      { method: "POST", path: "/acme/webhook-targets" },
      { method: "PATCH", path: `/acme/webhook-targets/${id}` },
    ]) {
      const [status, answer] = await call(method, path, body);
      assert.equal(status, 400, `${method} ${JSON.stringify(body)}`);
      assert.equal(answer.error.details.fields[0].field, field, JSON.stringify(body));
    }
  }
  assert.equal((await call("POST", "/acme/webhook-targets", {}))[1].error.details.fields[0].field, "url");
});
