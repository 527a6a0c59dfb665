// The public npm SDK of the API, from its registry, against our service.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { mesaNpmSdk } from "../../../scripts/tools.mjs";
import { present } from "../../support/present.mjs";
import { eventually } from "../service/support.mjs";
import { events, working } from "./support.mjs";

/**
 * @import { Repo, SyncRun, WebhookTarget } from "refsync"
 * @import { Delivery } from "../service/receiver.mjs"
 */

const { exports } = JSON.parse(readFileSync(join(mesaNpmSdk, "package.json"), "utf8"));
const { Mesa, MesaApiError, MesaWebhookVerificationError } = await import(
  pathToFileURL(join(mesaNpmSdk, exports["."].import)).href
);

/**
 * The code and the status of a refused call.
 *
 * @param {Promise<unknown>} call
 */
async function refusal(call) {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (/** @type {{ status: number, code: string }} */ thrown) => thrown,
  );
  assert.ok(error instanceof MesaApiError, `${error}`);
  return [error.status, error.code];
}

test("the public npm SDK goes through repositories, syncs and webhooks, and takes every delivery", async (t) => {
  const s = await working(t);
  const mesa = new Mesa({ apiKey: s.keys.admin, apiUrl: s.apiUrl });
  assert.equal((await mesa.whoami()).org.slug, "acme");
  assert.equal((await mesa.org.get()).num_repos, 2);
  const target = await mesa.webhookTargets.create({ url: s.hook.url, name: "sdk", events: Object.keys(events) });
  await s.push();

  const { url, token } = s.upstream;
  /** @param {string} value */
  const upstream = (value) => ({ url, auth: { kind: "token", token: value } });
  // With a default branch that does not exist, the run has a message. The SDK does not know this field.
  const made = await mesa.repos.create({ name: "sdk", default_bookmark: "trunk", upstream: upstream(token) });
  assert.equal(made.upstream.auth_kind, "token");
  const pull = { repo: "sdk", direction: "pull", ref_globs: { branches: "*" } };
  assert.deepEqual(await refusal(mesa.repos.syncUpstream({ ...pull, repo: "plain" })), [
    409,
    "UPSTREAM_NOT_CONFIGURED",
  ]);
  assert.deepEqual(await refusal(mesa.repos.get({ repo: "nowhere" })), [404, "NOT_FOUND"]);
  assert.deepEqual(await refusal(mesa.repos.create({ name: "not a name" })), [400, "INVALID_REQUEST"]);

  /**
   * @param {{ id: string }} queued
   * @returns {Promise<SyncRun>}
   */
  const ended = async ({ id }) => {
    /** @type {SyncRun | undefined} */
    let run;
    await eventually(async () => {
      run = await mesa.repos.getUpstreamSync({ repo: "sdk", syncId: id });
      return run?.status === "completed" || run?.status === "failed";
    });
    return present(run);
  };
  const queued = await mesa.repos.syncUpstream(pull);
  assert.deepEqual([queued.status, queued.ref_globs], ["queued", { branches: "*", tags: "" }]);
  const completed = await ended(queued);
  assert.equal(completed.status, "completed", completed.error ?? "");
  assert.deepEqual(
    completed.stats?.refs.map(({ name, outcome }) => [name, outcome]),
    [["refs/heads/main", "updated"]],
  );
  const stored = await s.ok("GET", `/acme/sdk/upstream/syncs/${completed.id}`);
  assert.match(stored.stats.messages[0].text, /^The default branch is trunk/);
  await mesa.repos.update({ repo: "sdk", upstream: upstream("wrong") });
  const failed = await ended(await mesa.repos.syncUpstream({ repo: "sdk", direction: "push" }));
  assert.equal(failed.status, "failed");
  const page = await mesa.repos.listUpstreamSyncs({ repo: "sdk", limit: 1 });
  const rest = await mesa.repos.listUpstreamSyncs({ repo: "sdk", limit: 1, cursor: page.next_cursor });
  assert.deepEqual(
    [...page.syncs, ...rest.syncs].map((/** @type {SyncRun} */ { id }) => id),
    [failed.id, completed.id],
    "newest first, a page at a time",
  );
  assert.equal((await mesa.repos.get({ repo: "sdk" })).upstream.latest_sync.id, failed.id);
  assert.deepEqual(
    (await mesa.repos.list()).repos.map((/** @type {Repo} */ { name }) => name),
    ["sdk", "plain", "source"],
  );

  const renamed = await mesa.webhookTargets.update({ webhookTargetId: target.id, name: "renamed" });
  assert.equal(renamed.name, "renamed");
  const { webhook_targets: targets } = await mesa.webhookTargets.list();
  assert.deepEqual(
    targets.map((/** @type {WebhookTarget} */ { id }) => id),
    [target.id],
  );
  await mesa.repos.update({ repo: "sdk", name: "sdk-renamed", upstream: null });
  assert.deepEqual(await mesa.repos.delete({ repo: "sdk-renamed" }), { success: true });

  const deliveries = await s.delivered();
  const receiver = new Mesa({ apiKey: s.keys.read, apiUrl: s.apiUrl, org: "acme", webhookSecret: target.secret });
  /** @type {string[]} */
  const seen = [];
  receiver.webhooks.on(Object.keys(events), (/** @type {{ type: string }} */ { type }) => seen.push(type));
  /**
   * @param {Delivery} delivery
   * @param {string} body
   */
  const request = ({ headers }, body) => {
    const sent = /** @type {Record<string, string>} */ (headers);
    return new Request(s.hook.url, { method: "POST", headers: sent, body });
  };
  for (const delivery of deliveries) await receiver.webhooks.receive(request(delivery, delivery.raw));
  assert.deepEqual(seen, s.hook.types(), "each was verified and fits the SDK's schema");
  for (const [type, count] of Object.entries(events)) {
    assert.equal(seen.filter((one) => one === type).length, count, type);
  }
  const first = present(deliveries[0]);
  const forged = request(first, `${first.raw} `);
  await assert.rejects(receiver.webhooks.receive(forged), MesaWebhookVerificationError);
  assert.deepEqual(await mesa.webhookTargets.delete({ webhookTargetId: target.id }), { success: true });
});

test("an access token that the npm SDK signs with an API key is refused, and the answer says what to send", async (t) => {
  const s = await working(t);
  const mesa = new Mesa({ apiKey: s.keys.write, apiUrl: s.apiUrl });
  const { token } = await mesa.tokens.create({ scopes: ["read"], repos: ["acme/source"] });
  const header = JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString());
  assert.deepEqual([header.alg, header.typ, "jwk" in header], ["HS256", "mesa-at+jwt", false]);
  const [status, body] = await s.call("GET", "/acme/source", undefined, { key: token });
  assert.equal(status, 401);
  assert.equal(
    body.error.message,
    "access tokens that are signed with an API key (HS256) are not accepted; send the API key itself",
  );
});
