// API keys: make, list, limit and revoke them with the API.
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { join } from "node:path";

import { gitHttpBackend, guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { onBoth } from "../databases.mjs";
import { fields, git, silentServer, start } from "../support.mjs";

/**
 * @import { KeyObject } from "node:crypto"
 * @import { Json } from "../../../support/json.mjs"
 */

/**
 * An access token of this key for the organisation `acme`.
 *
 * @param {KeyObject} key
 * @param {Record<string, string>} [access] Everything if left out.
 */
function token(key, access) {
  const encode = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const iat = Math.floor(Date.now() / 1000);
  const signed = [
    encode({ alg: "EdDSA", typ: "mesa-at+jwt", jwk: { kty: "OKP", crv: "Ed25519", x } }),
    encode({
      iss: "acme",
      aud: "mesa-api",
      ...(access ? { access } : { admin: true }),
      iat,
      exp: iat + 900,
      jti: randomUUID(),
    }),
  ].join(".");
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

/** @param {string} text */
function privateKey(text) {
  const [, encoded] = /^mesa_private_key_acme_([\w-]+)$/.exec(text) ?? [];
  return createPrivateKey({ key: Buffer.from(present(encoded), "base64url"), format: "der", type: "pkcs8" });
}

onBoth(
  "a key is made, shown once, listed without its secret, used, and refused by every process once it is revoked",
  async (t, where) => {
    const s = await start(t, where);
    const made = await s.ok("POST", "/acme/api-keys", { scope: "write", name: "ci" });
    assert.match(made.api_key, /^refsync_[0-9a-f]{24}_[\w-]{43}$/);
    const { api_key: key, ...shown } = made;
    assert.deepEqual(
      { ...shown, id: "", created_at: "" },
      { id: "", name: "ci", scope: "write", repos: null, created_at: "", expires_at: null, last_used_at: null },
    );
    const { api_keys: listed } = await s.ok("GET", "/acme/api-keys");
    assert.deepEqual(listed[0], shown, "the newest comes first");
    assert.equal(listed.length, 4);
    const everything = JSON.stringify([listed, await s.sql("SELECT * FROM refsync.api_keys")]);
    assert.ok(!everything.includes(key) && !everything.includes(key.split("_")[2]), "the secret is kept nowhere");

    // Another process on the same database.
    const other = new Service({
      database: s.database,
      git: gitHttpBackend({ root: join(s.folder, "repositories") }),
      fetch: guardedFetch(),
      secretKey: new Uint8Array(32).fill(7),
    });
    const elsewhere = () =>
      other.fetch(new Request("http://x/v1/whoami", { headers: { authorization: `Bearer ${key}` } }));
    assert.equal((await elsewhere()).status, 200);
    assert.deepEqual((await s.ok("GET", "/whoami", undefined, { key })).scopes, ["read", "write"]);
    assert.deepEqual(await s.ok("DELETE", `/acme/api-keys/${made.id}`), { success: true });
    assert.equal((await s.call("GET", "/whoami", undefined, { key }))[0], 401);
    assert.equal((await elsewhere()).status, 401);
    const [again, { error }] = await s.call("DELETE", `/acme/api-keys/${made.id}`);
    assert.equal(again, 404);
    assert.match(error.message, /organisation acme has no API key key_/);
  },
);

onBoth(
  "a key of several repositories reaches those, by its scope, after a rename too, and nothing else",
  async (t, where) => {
    const s = await start(t, where);
    const ids = [];
    for (const name of ["one", "Two", "three"]) ids.push((await s.ok("POST", "/acme/repos", { name })).id);
    const made = await s.ok("POST", "/acme/api-keys", { scope: "write", repos: ["ONE", ids[1]] });
    assert.deepEqual(made.repos, ["one", "Two"]);
    const limited = { key: made.api_key };
    const status = async (
      /** @type {string} */ method,
      /** @type {string} */ path,
      /** @type {object | undefined} */ body = undefined,
    ) => (await s.call(method, path, body, limited))[0];
    for (const repo of ["one", "two", ids[0]])
      assert.equal(await status("PATCH", `/acme/${repo}`, { tags: { a: "b" } }), 200);
    for (const path of ["/acme/three", `/acme/${ids[2]}`, "/acme/nothing", "/acme/repos", "/acme/api-keys", "/acme"]) {
      assert.equal(await status("GET", path), 403, path);
    }
    assert.equal(await status("DELETE", "/acme/one"), 403, "the scope is write");
    assert.equal(await status("POST", "/acme/repos", { name: "four" }), 403);
    const origin = await s.listen();
    const url = (/** @type {string} */ repo) => `${origin.replace("://", `://git:${made.api_key}@`)}/acme/${repo}.git`;
    await git(s.folder, "ls-remote", url("one"));
    await assert.rejects(git(s.folder, "ls-remote", url("three")), /403/);

    await s.ok("PATCH", "/acme/one", { name: "renamed" });
    await s.ok("POST", "/acme/repos", { name: "one" });
    assert.equal(await status("GET", "/acme/renamed"), 200);
    assert.equal(await status("GET", "/acme/one"), 403, "another repository took the name");
    await s.ok("DELETE", "/acme/renamed");
    await s.ok("DELETE", "/acme/two");
    const { api_keys: listed } = await s.ok("GET", "/acme/api-keys");
    assert.deepEqual(listed.find((/** @type {Json} */ { id }) => id === made.id).repos, []);
    assert.equal(await status("GET", "/acme/three"), 403, "a key whose repositories are gone is good for none");
  },
);

onBoth(
  "an expired key is refused at once, with the reason, and a wrong secret hears nothing of it",
  async (t, where) => {
    const s = await start(t, where);
    const made = await s.ok("POST", "/acme/api-keys", { scope: "admin", expires_in_seconds: 3600 });
    const left = Date.parse(made.expires_at) - Date.parse(made.created_at);
    assert.ok(Math.abs(left - 3_600_000) < 1000, `${left} ms`);
    await s.ok("GET", "/whoami", undefined, { key: made.api_key });
    await s.sql("UPDATE refsync.api_keys SET expires_at = now() WHERE id = $1", [made.id]);
    const refusal = async (/** @type {string} */ key) => (await s.call("GET", "/whoami", undefined, { key }))[1].error;
    assert.match((await refusal(made.api_key)).message, /the API key has expired/);
    assert.match((await refusal(`${made.api_key.slice(0, -4)}AAAA`)).message, /not known/);
    const { api_keys: listed } = await s.ok("GET", "/acme/api-keys");
    assert.ok(
      listed.some((/** @type {Json} */ { id }) => id === made.id),
      "it can still be looked at",
    );
    await s.sql("UPDATE refsync.api_keys SET expires_at = now() - interval '8 days' WHERE id = $1", [made.id]);
    await s.ok("POST", "/acme/api-keys", { scope: "read" });
    const { api_keys: later } = await s.ok("GET", "/acme/api-keys");
    assert.ok(!later.some((/** @type {Json} */ { id }) => id === made.id), "after a week it is removed");
  },
);

onBoth("the last use of a key is written at most once a minute", async (t, where) => {
  const s = await start(t, where);
  const { id, api_key: key } = await s.ok("POST", "/acme/api-keys", { scope: "read" });
  const row = async () => (await s.sql("SELECT last_used_at, xmin::text FROM refsync.api_keys WHERE id = $1", [id]))[0];
  const use = () => Promise.all(Array.from({ length: 20 }, () => s.ok("GET", "/whoami", undefined, { key })));
  await use();
  const first = present(await row());
  assert.ok(Date.now() - first.last_used_at.getTime() < 10_000);
  await use();
  assert.deepEqual(await row(), first, "no later call wrote to it");
  for (const moment of ["now() - interval '61 seconds'", "now() + interval '1 hour'"]) {
    await s.sql(`UPDATE refsync.api_keys SET last_used_at = ${moment} WHERE id = $1`, [id]);
    await use();
    const age = Date.now() - present(await row()).last_used_at.getTime();
    assert.ok(Math.abs(age) < 10_000, `${moment}: also if the clock was set back`);
  }
  const { api_keys: listed } = await s.ok("GET", "/acme/api-keys");
  assert.ok(listed.find((/** @type {Json} */ key) => key.id === id).last_used_at);
});

onBoth("a stream of events ends when its key is revoked", async (t, where) => {
  const s = await start(t, where);
  const upstream = await silentServer(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: upstream.url } });
  const run = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const { id, api_key: key } = await s.ok("POST", "/acme/api-keys", { scope: "read" });
  const request = new Request(`http://x/v1/acme/app/upstream/syncs/${run.id}/events`, {
    headers: { authorization: `Bearer ${key}`, accept: "text/event-stream" },
  });
  const reader = present((await s.service.fetch(request)).body).getReader();
  assert.equal((await reader.read()).done, false);
  await s.ok("DELETE", `/acme/api-keys/${id}`);
  const ended = (async () => {
    while (!(await reader.read()).done);
    return "ended";
  })();
  const late = new Promise((resolve) => setTimeout(resolve, 5_000, "still open").unref());
  assert.equal(await Promise.race([ended, late]), "ended");
});

onBoth(
  "a public key is registered or made, limits what its tokens may do, and is refused once it is revoked",
  async (t, where) => {
    const s = await start(t, where);
    for (const name of ["one", "two"]) await s.ok("POST", "/acme/repos", { name });
    const made = await s.ok("POST", "/acme/public-keys", { name: "ci" });
    const full = privateKey(made.private_key);
    assert.equal(made.x, createPublicKey(full).export({ format: "jwk" }).x);
    assert.equal(made.scope, "admin");
    const me = await s.ok("GET", "/whoami", undefined, { key: token(full) });
    assert.deepEqual(me.scopes, ["read", "write", "admin"]);

    const own = generateKeyPairSync("ed25519").privateKey;
    const x = present(createPublicKey(own).export({ format: "jwk" }).x);
    const limited = await s.ok("POST", "/acme/public-keys", { x, scope: "read", repos: ["one"] });
    assert.deepEqual([limited.private_key, limited.scope, limited.repos], [null, "read", ["one"]]);
    const status = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {string} */ key) =>
      (await s.call(method, path, method === "PATCH" ? { tags: { a: "b" } } : undefined, { key }))[0];
    for (const key of [token(own), token(own, { one: "write-repo", two: "write-repo" })]) {
      assert.equal(await status("GET", "/acme/one", key), 200);
      assert.equal(await status("PATCH", "/acme/one", key), 403, "no token may do more than its key");
      assert.equal(await status("GET", "/acme/two", key), 403);
      assert.equal(await status("GET", "/acme/repos", key), 403);
    }
    const [taken, { error }] = await s.call("POST", "/acme/public-keys", { x });
    assert.deepEqual([taken, error.code], [409, "CONFLICT"]);

    const { public_keys: listed } = await s.ok("GET", "/acme/public-keys");
    assert.deepEqual(
      listed.map((/** @type {Json} */ key) => [key.id, key.x, typeof key.last_used_at]),
      [
        [limited.id, x, "string"],
        [made.id, made.x, "string"],
      ],
    );
    assert.ok(!JSON.stringify(listed).includes(made.private_key));
    await s.sql("UPDATE refsync.public_keys SET expires_at = now() WHERE id = $1", [limited.id]);
    assert.match((await s.call("GET", "/whoami", undefined, { key: token(own) }))[1].error.message, /key has expired/);
    await s.ok("DELETE", `/acme/public-keys/${made.id}`);
    assert.equal((await s.call("GET", "/whoami", undefined, { key: token(full) }))[0], 401);
    assert.equal((await s.call("DELETE", `/acme/public-keys/${made.id}`))[0], 404);
  },
);

onBoth("only an admin of the whole organisation manages its keys, and of no other one", async (t, where) => {
  const s = await start(t, where);
  await s.service.ensureOrganization("other");
  const others = await s.service.createApiKey("other", "admin");
  await s.ok("POST", "/acme/repos", { name: "app" });
  const limited = (await s.ok("POST", "/acme/api-keys", { scope: "admin", repos: ["app"] })).api_key;
  const { id } = await s.ok("POST", "/acme/api-keys", { scope: "read" });
  const { id: publicId } = await s.ok("POST", "/acme/public-keys", {});
  for (const key of [s.keys.read, s.keys.write, limited, others]) {
    for (const [method, path, body] of /** @type {const} */ ([
      ["GET", "/acme/api-keys", undefined],
      ["POST", "/acme/api-keys", { scope: "read" }],
      ["DELETE", `/acme/api-keys/${id}`, undefined],
      ["GET", "/acme/public-keys", undefined],
      ["POST", "/acme/public-keys", {}],
      ["DELETE", `/acme/public-keys/${publicId}`, undefined],
    ])) {
      assert.equal((await s.call(method, path, body, { key }))[0], 403, `${method} ${path}`);
    }
  }
  for (const path of [`/other/api-keys/${id}`, `/other/public-keys/${publicId}`]) {
    assert.equal((await s.call("DELETE", path, undefined, { key: others }))[0], 404, path);
  }
});

onBoth("a request for a key is refused with every bad field, and a misspelt field is one", async (t, where) => {
  const s = await start(t, where);
  const keys = "/acme/api-keys";
  assert.deepEqual(fields(await s.call("POST", keys, { scope: "root", name: "", repos: [], expires_in_seconds: 0 })), [
    "scope",
    "name",
    "repos",
    "expires_in_seconds",
  ]);
  assert.deepEqual(fields(await s.call("POST", keys, {})), ["scope"]);
  assert.deepEqual(fields(await s.call("POST", keys, { scope: "read", expire_in_seconds: 60 })), ["expire_in_seconds"]);
  assert.deepEqual(fields(await s.call("POST", keys, { scope: "read", repos: ["nothing"] })), ["repos"]);
  for (const expires_in_seconds of [-1, 1.5, 1e12, "1h", true]) {
    const answer = await s.call("POST", keys, { scope: "read", expires_in_seconds });
    assert.deepEqual(fields(answer), ["expires_in_seconds"]);
    assert.match(answer[1].error.message, /whole number of seconds/);
  }
  assert.deepEqual(fields(await s.call("POST", "/acme/public-keys", { x: "AAAA" })), ["x"]);
  assert.equal((await s.ok("GET", keys)).api_keys.length, 3, "nothing was made");
});

onBoth("lists of keys have pages", async (t, where) => {
  const s = await start(t, where);
  for (let n = 0; n < 3; n += 1) await s.ok("POST", "/acme/api-keys", { scope: "read", name: `${n}` });
  const page = await s.ok("GET", "/acme/api-keys?limit=2");
  assert.deepEqual([page.api_keys.map((/** @type {Json} */ { name }) => name), page.has_more], [["2", "1"], true]);
  const rest = await s.ok("GET", `/acme/api-keys?limit=10&cursor=${page.next_cursor}`);
  assert.deepEqual([rest.api_keys.length, rest.api_keys[0].name, rest.has_more], [4, "0", false]);
});

onBoth("the operator needs no credential, makes organisations, and is any organisation's admin", async (t, where) => {
  const s = await start(t, where);
  const ask = async (
    /** @type {string} */ method,
    /** @type {string} */ path,
    /** @type {object | undefined} */ body = undefined,
  ) => {
    const request = new Request(`http://x${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const answer = await s.service.operatorFetch(request);
    return /** @type {const} */ ([answer.status, await answer.json()]);
  };
  assert.equal((await ask("POST", "/operator/orgs", { slug: "New", name: "A new one" }))[0], 201);
  assert.equal((await ask("POST", "/operator/orgs", { slug: "new" }))[0], 409);
  assert.equal((await ask("POST", "/operator/orgs", { slug: "v1" }))[0], 400);
  const [, { orgs }] = await ask("GET", "/operator/orgs");
  assert.deepEqual(
    orgs.map((/** @type {Json} */ { slug, name }) => [slug, name]),
    [
      ["acme", "Acme"],
      ["new", "A new one"],
    ],
  );
  const [status, made] = await ask("POST", "/v1/new/api-keys", { scope: "admin" });
  assert.equal(status, 201);
  assert.equal((await s.ok("GET", "/whoami", undefined, { key: made.api_key })).org.slug, "new");
  assert.equal((await ask("GET", "/v1/nothing/api-keys"))[0], 404);
  for (const path of ["/operator/orgs", "/v1/acme/api-keys"]) {
    const answer = await s.service.fetch(new Request(`http://x${path}`));
    assert.ok([401, 404].includes(answer.status), "not without the socket");
  }
  const stranger = new Request("http://x/operator/orgs", { headers: { authorization: `Bearer ${s.keys.admin}` } });
  assert.equal((await s.service.fetch(stranger)).status, 404, "no key reaches the operator's calls");
});
