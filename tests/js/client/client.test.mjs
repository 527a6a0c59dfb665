// The client against the real service: lists, watching, credentials.
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";

import { NotFoundError, SyncClient } from "refsync";

import { present } from "../../support/present.mjs";
import { start } from "../service/support.mjs";

/** @import { ClientOptions } from "refsync" */

/**
 * A service with a repository `app` that is its own upstream, and a client of the service.
 *
 * @param {import("node:test").TestContext} t
 * @param {Partial<ClientOptions>} [options]
 */
async function hosted(t, options = {}) {
  const backend = await start(t);
  const url = await backend.listen();
  const client = new SyncClient({ apiUrl: url, apiKey: backend.keys.admin, ...options });
  return { ...backend, url, client };
}

test("for await goes over all pages of a list, await gives the first", async (t) => {
  const { client } = await hosted(t);
  for (let n = 0; n < 5; n++) await client.repos.create({ name: `repo-${n}` });
  const names = [];
  for await (const repo of client.repos.list({ limit: 2 })) names.push(repo.name);
  assert.deepEqual(names, ["repo-4", "repo-3", "repo-2", "repo-1", "repo-0"]);
  const page = await client.repos.list({ limit: 2 });
  assert.deepEqual([page.repos.length, page.has_more], [2, true]);
  assert.deepEqual(Object.keys(page), ["next_cursor", "has_more", "repos"]);
});

test("a list can be limited to repositories with these labels", async (t) => {
  const { client } = await hosted(t);
  await client.repos.create({ name: "ours", tags: { team: "web & co", tier: "1" } });
  await client.repos.create({ name: "theirs", tags: { team: "core", tier: "1" } });
  /** @param {Record<string, string>} tags */
  const named = async (tags) => {
    const names = [];
    for await (const repo of client.repos.list({ tags, limit: 1 })) names.push(repo.name);
    return names;
  };
  assert.deepEqual(await named({ team: "web & co" }), ["ours"]);
  assert.deepEqual(await named({ tier: "1" }), ["theirs", "ours"]);
  assert.deepEqual(await named({ tier: "1", team: "none" }), []);
  const wrong = /** @type {any} */ ({ tags: { tier: 1 } });
  await assert.rejects(async () => client.repos.list(wrong), /tags\.tier must be a string, not a number/);
});

test("a list asks for a page only when it gets there", async (t) => {
  let requests = 0;
  /** @type {import("refsync").Fetch} */
  const counted = (input, init) => {
    requests += 1;
    return fetch(input, init);
  };
  const { client } = await hosted(t, { fetch: counted, org: "acme" });
  for (let n = 0; n < 3; n++) await client.repos.create({ name: `repo-${n}` });
  requests = 0;
  for await (const _ of client.repos.list({ limit: 1 })) break;
  assert.equal(requests, 1);
});

test("a failed list rejects in for await too", async (t) => {
  const { client } = await hosted(t);
  await assert.rejects(async () => {
    for await (const _ of client.repos.listUpstreamSyncs({ repo: "none" }));
  }, NotFoundError);
});

/** @param {Awaited<ReturnType<typeof hosted>>} backend */
async function queued({ client, url, keys }) {
  const upstream = `${url}/acme/source.git`;
  await client.repos.create({ name: "source" });
  await client.repos.create({ name: "app", upstream: { url: upstream, auth: { kind: "token", token: keys.admin } } });
  return client.repos.syncUpstream({ repo: "app", direction: "pull" });
}

test("watch yields the run as it stands and each change up to its end", async (t) => {
  const backend = await hosted(t);
  const run = await queued(backend);
  setTimeout(() => backend.service.tick(), 300);
  const seen = [];
  for await (const change of backend.client.syncs.watch(run)) seen.push(change);
  assert.equal(seen[0], run);
  const last = present(seen.at(-1));
  assert.equal(last.status, "completed", last.error ?? "");
  const text = "There is no branch and no tag at the upstream.";
  assert.deepEqual(last.stats, { refs: [], messages: [{ side: "refsync", text }] }, "the source is empty");
  assert.deepEqual(last, await backend.client.syncs.get({ repo: "app", sync_id: run.id }));
  const again = [];
  for await (const change of backend.client.syncs.watch(last)) again.push(change.id);
  assert.deepEqual(again, [run.id], "an ended run is yielded once and costs no request");
});

test("leaving a watch stops its polling, and a signal ends it with an AbortError", async (t) => {
  let requests = 0;
  /** @type {import("refsync").Fetch} */
  const counted = (input, init) => {
    requests += 1;
    return fetch(input, init);
  };
  const backend = await hosted(t, { fetch: counted });
  const run = await queued(backend);
  for await (const _ of backend.client.syncs.watch(run)) break;
  requests = 0;
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(requests, 0, "nothing polls once the loop is left");
  const signal = AbortSignal.timeout(400);
  const watching = async () => {
    for await (const _ of backend.client.syncs.watch(run, { signal }));
  };
  const error = await watching().catch((thrown) => thrown);
  assert.deepEqual([error.name, error.cause], ["AbortError", signal.reason]);
});

test("a function gives the token of each request, and its failure is the call's", async (t) => {
  const backend = await hosted(t);
  let asked = 0;
  const client = new SyncClient({
    apiUrl: backend.url,
    apiKey: async () => {
      asked += 1;
      return backend.keys.read;
    },
  });
  assert.equal((await client.whoami()).org.slug, "acme");
  await client.whoami();
  assert.equal(asked, 2);
  const broken = new SyncClient({
    apiUrl: backend.url,
    apiKey: () => {
      throw new RangeError("the vault is closed");
    },
  });
  await assert.rejects(broken.whoami(), { name: "RangeError", message: "the vault is closed" });
});

test("a private key signs a fresh token for each request, which its public key verifies", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const der = privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url");
  /** @type {string[]} */
  const tokens = [];
  // Answers only with errors, because the test checks the request.
  /** @type {import("refsync").Fetch} */
  const recorded = async (_, init) => {
    tokens.push(present(new Headers(init?.headers).get("authorization")).slice("Bearer ".length));
    return new Response("{}", { status: 401 });
  };
  const client = new SyncClient({ apiUrl: "http://h", apiKey: `mesa_private_key_my_org_${der}`, fetch: recorded });
  for (let n = 0; n < 2; n++) await assert.rejects(client.whoami(), { name: "UnauthenticatedError" });
  const ids = new Set();
  for (const token of tokens) {
    const [head = "", body = "", signature = ""] = token.split(".");
    const { alg, typ, jwk } = JSON.parse(Buffer.from(head, "base64url").toString());
    assert.deepEqual([alg, typ], ["EdDSA", "mesa-at+jwt"]);
    assert.deepEqual(jwk, publicKey.export({ format: "jwk" }));
    const key = createPublicKey({ key: jwk, format: "jwk" });
    assert.ok(verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")));
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    assert.deepEqual([claims.iss, claims.aud, claims.admin], ["my_org", "mesa-api", true]);
    assert.equal(claims.exp - claims.iat, 900);
    assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
    ids.add(claims.jti);
  }
  assert.equal(ids.size, 2, "no token is used twice");
});

test("what is no private key is an InvalidRequestError that names apiKey", async () => {
  for (const apiKey of ["mesa_private_key_", "mesa_private_key_acme_AAAA", "mesa_private_key_acme"]) {
    const client = new SyncClient({ apiUrl: "http://127.0.0.1:9", apiKey });
    await assert.rejects(client.whoami(), ({ name, fields }) => {
      assert.deepEqual([name, fields[0].field], ["InvalidRequestError", "apiKey"]);
      return true;
    });
  }
});
