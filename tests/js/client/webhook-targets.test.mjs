// `client.webhookTargets` against the real service.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ForbiddenError, InvalidRequestError, NotFoundError, SyncClient } from "refsync";

import { present } from "../../support/present.mjs";
import { start } from "../service/support.mjs";

/** @import { Scope } from "refsync/service" */

/** @param {import("node:test").TestContext} t */
async function hosted(t) {
  const backend = await start(t);
  const apiUrl = await backend.listen();
  /** @param {Scope} scope */
  const client = (scope) => new SyncClient({ apiUrl, apiKey: backend.keys[scope], maxRetries: 0 });
  return { ...backend, client: client("admin"), reader: client("read") };
}

test("a webhook target is made, read, listed, changed and deleted", async (t) => {
  const { client } = await hosted(t);
  const { webhookTargets } = client;
  const repo = await client.repos.create({ name: "app" });
  const events = ["sync.completed", "sync.failed"];
  const made = await webhookTargets.create({ url: "https://h.test/hook", name: "ops", events, repo_ids: [repo.id] });
  const { secret, ...target } = made;
  assert.match(secret, /^whsec_/);
  assert.deepEqual(
    [target.url, target.name, target.events, target.repo_ids],
    ["https://h.test/hook", "ops", events, [repo.id]],
  );
  const path = { target_id: target.id };
  assert.deepEqual(await webhookTargets.get(path), target, "no answer but the first carries the secret");

  const changed = await webhookTargets.update({ ...path, name: null, repo_ids: null, events: undefined });
  assert.deepEqual([changed.name, changed.repo_ids, changed.events], [null, null, events], "what is undefined stays");

  const plain = await webhookTargets.create({ url: "https://h.test/other" });
  assert.deepEqual([plain.name, plain.events, plain.repo_ids], [null, ["push"], null]);
  const ids = [];
  for await (const { id } of webhookTargets.list({ limit: 1 })) ids.push(id);
  assert.deepEqual(ids, [plain.id, target.id], "every page, newest first");

  assert.deepEqual(await webhookTargets.delete(path), { success: true });
  await assert.rejects(webhookTargets.get(path), NotFoundError);
  await assert.rejects(webhookTargets.delete(path), NotFoundError);
});

test("a rotation gives another secret and leaves the target as it is", async (t) => {
  const { client } = await hosted(t);
  const made = await client.webhookTargets.create({ url: "https://h.test/hook", events: ["sync.failed"] });
  const rotated = await client.webhookTargets.rotateSecret({ target_id: made.id });
  assert.match(rotated.secret, /^whsec_/);
  assert.notEqual(rotated.secret, made.secret);
  assert.deepEqual([rotated.id, rotated.url, rotated.events], [made.id, made.url, made.events]);
  await assert.rejects(client.webhookTargets.rotateSecret({ target_id: "none" }), NotFoundError);
});

test("what is wrong is named, before a request where that can be known", async (t) => {
  const { client, reader } = await hosted(t);
  /**
   * @param {string} name
   * @param {number | undefined} status
   */
  const field = (name, status) => (/** @type {unknown} */ error) => {
    assert.ok(error instanceof InvalidRequestError, String(error));
    assert.deepEqual([present(error.fields[0]).field, error.status], [name, status]);
    return true;
  };
  await assert.rejects(client.webhookTargets.create({ url: "ftp://h" }), field("url", 400));
  await assert.rejects(
    client.webhookTargets.create({ url: "https://h", events: ["no such event"] }),
    field("events", 400),
  );
  await assert.rejects(
    // @ts-expect-error: a field that is misspelt
    client.webhookTargets.create({ url: "https://h", evnets: ["push"] }),
    field("evnets", undefined),
  );
  // @ts-expect-error: without the id
  await assert.rejects(client.webhookTargets.get({}), field("target_id", undefined));
  await assert.rejects(client.webhookTargets.list({ limit: 0 }), field("limit", undefined));
  await assert.rejects(reader.webhookTargets.list(), ForbiddenError);
});
