import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";

import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { onBoth } from "../databases.mjs";
import { git, start } from "../support.mjs";

/** @import { KeyObject } from "node:crypto" */

/** @param {unknown} value */

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);

/**
 * A token in the form of the API's public SDKs. `claims` and `header` override its fields.
 *
 * @param {KeyObject} key
 * @param {Record<string, unknown>} [claims]
 * @param {Record<string, unknown>} [header]
 */
function token(key, claims = {}, header = {}) {
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const times = { iat: now(), exp: now() + 900, jti: randomUUID() };
  const signed = [
    base64url({ alg: "EdDSA", typ: "mesa-at+jwt", jwk: { kty: "OKP", crv: "Ed25519", x }, ...header }),
    base64url({ iss: "acme", aud: "mesa-api", ...(claims.access ? {} : { admin: true }), ...times, ...claims }),
  ].join(".");
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

/**
 * @param {import("node:test").TestContext} t
 * @param {Pick<import("../support.mjs").StartOptions, "postgres">} [where]
 */
async function withKey(t, where = {}) {
  const s = await start(t, where);
  const text = await s.service.createPrivateKey("acme");
  const encoded = /^mesa_private_key_acme_([\w-]+)$/.exec(text)?.[1];
  const der = Buffer.from(present(encoded), "base64url");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  assert.deepEqual(
    key.export({ format: "der", type: "pkcs8" }),
    der,
    "the canonical encoding, which the SDKs insist on",
  );
  return { ...s, text, key };
}

test("a token that a registered private key signed is its organisation's admin", async (t) => {
  const { ok, key, sql } = await withKey(t);
  const admin = { key: token(key) };
  const me = await ok("GET", "/whoami", undefined, admin);
  assert.deepEqual([me.org.slug, me.key_id, me.scopes], ["acme", null, ["read", "write", "admin"]]);
  await ok("POST", "/acme/repos", { name: "app" }, admin);
  await ok("DELETE", "/acme/app", undefined, admin);
  const dump = JSON.stringify(await sql("SELECT * FROM refsync.public_keys"));
  assert.ok(dump.includes(present(createPublicKey(key).export({ format: "jwk" }).x)));
  assert.ok(!dump.includes(present(key.export({ format: "jwk" }).d)), "the private key is stored nowhere");
});

test("a token with access is good for those repositories, by name in any case or by id, and for no more", async (t) => {
  const { call, ok, key } = await withKey(t);
  /** @type {Record<string, string>} */
  const ids = {};
  for (const name of ["Reads", "writes", "other"]) ids[name] = (await ok("POST", "/acme/repos", { name })).id;
  const limited = { key: token(key, { access: { reads: "read-repo", WRITES: "write-repo" } }) };
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  const status = async (method, path, body) => (await call(method, path, body, limited))[0];
  assert.deepEqual((await ok("GET", "/whoami", undefined, limited)).scopes, ["read", "write"]);
  assert.equal(await status("GET", "/acme/reads"), 200);
  assert.equal(await status("GET", `/acme/${ids.Reads}`), 200);
  assert.equal(await status("GET", "/acme/reads/upstream/syncs"), 200);
  assert.equal(await status("PATCH", "/acme/reads", {}), 403);
  assert.equal(await status("PATCH", "/acme/Writes", {}), 200);
  assert.equal(await status("PATCH", `/acme/${ids.writes}`, {}), 200);
  assert.equal(await status("DELETE", "/acme/writes"), 403);
  /** @type {[method: string, path: string, body?: object][]} */
  const beyond = [
    ["GET", "/acme/other"],
    ["GET", `/acme/${ids.other}`],
    ["GET", "/acme/nothing"],
    ["GET", "/acme"],
    ["GET", "/acme/repos"],
    ["POST", "/acme/repos", {}],
    ["GET", "/acme/webhook-targets"],
  ];
  for (const [method, path, body] of beyond) {
    assert.equal(await status(method, path, body), 403, `${method} ${path}`);
  }
});

onBoth(
  `no repository is named like another one's id, and a token for a name does not reach an id`,
  async (t, where) => {
    const { call, ok, sql, key } = await withKey(t, where);
    const secret = await ok("POST", "/acme/repos", { name: "secret" });
    const own = await ok("POST", "/acme/repos", { name: "own" });
    for (const name of [secret.id, secret.id.toUpperCase(), `repo_${"0".repeat(28)}`]) {
      for (const [method, path] of [
        ["POST", "/acme/repos"],
        ["PATCH", "/acme/own"],
      ]) {
        const [status, body] = await call(present(method), present(path), { name });
        assert.equal(status, 400, `${method} ${name}`);
        assert.match(body.error.details.fields[0].message, /form of an id/);
      }
    }
    // Sets a name that an earlier version accepted.
    await sql("UPDATE refsync.repos SET name = $1 WHERE id = $2", [secret.id, own.id]);
    const limited = { key: token(key, { access: { [secret.id]: "write-repo" } }) };
    for (const path of [`/acme/${secret.id}`, `/acme/${secret.id.toUpperCase()}`, "/acme/secret"]) {
      const [status, body] = await call("GET", path, undefined, limited);
      assert.ok(status === 403 || body.id === own.id, `${path} gives ${body.name}`);
    }
    assert.equal((await call("GET", `/acme/${secret.id}`, undefined, limited))[0], 403);
    assert.equal((await ok("GET", `/acme/${own.id}`, undefined, limited)).id, own.id, "it reaches its own by its id");
    await ok("PATCH", `/acme/${own.id}`, { name: "own" });
  },
);

onBoth(
  `a grant counts for the repository that was found, not for one that gets its name meanwhile`,
  async (t, where) => {
    const s = await withKey(t, where);
    const ids = [];
    for (const name of ["granted", "secret"]) ids.push((await s.ok("POST", "/acme/repos", { name })).id);
    /** Runs between the two look-ups of a repository's name in one call. */
    const swap = async () => {
      for (const [from, to] of [
        ["granted", "third"],
        ["secret", "granted"],
        ["third", "secret"],
      ]) {
        await s.sql("UPDATE refsync.repos SET name = $1 WHERE name = $2", [to, from]);
      }
    };
    let looks = 0;
    const service = new Service({
      database: {
        async query(text, params) {
          const answer = await s.database.query(text, params);
          if (/FROM refsync\.repos r\s+WHERE r\.org_id = \$1::jsonb ->> 'org_id' AND \(r\.id/.test(text)) {
            looks += 1;
            if (looks % 2 === 1) await swap();
          }
          return answer;
        },
      },
      git: gitHttpBackend({ root: `${s.folder}/repositories` }),
      fetch,
      secretKey: new Uint8Array(32).fill(7),
      log: () => {},
    });
    const headers = { authorization: `Bearer ${token(s.key, { access: { granted: "write-repo" } })}` };
    for (const path of ["/v1/acme/granted", "/acme/granted.git/info/refs?service=git-upload-pack"]) {
      const answer = await service.fetch(new Request(`http://service.test${path}`, { headers }));
      assert.equal(answer.status, 403, `${path}: ${await answer.text()}`);
    }
    assert.equal(looks, 4, "each of the two calls looked twice");
  },
);

test("Git takes a token as the password, and keeps to its access", async (t) => {
  const s = await withKey(t);
  for (const name of ["app", "other"]) await s.ok("POST", "/acme/repos", { name });
  const origin = await s.listen();
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const work = join(s.folder, "work");
  await git(work, "commit", "-q", "--allow-empty", "-m", "one");
  /**
   * @param {string} repo
   * @param {string} level
   */
  const url = (repo, level) =>
    `${origin.replace("//", `//x:${token(s.key, { access: { app: level } })}@`)}/acme/${repo}.git`;
  await git(work, "push", "-q", url("app", "write-repo"), "main");
  await git(work, "ls-remote", url("app", "read-repo"));
  await assert.rejects(git(work, "push", "-q", url("app", "read-repo"), "main"), /403/);
  await assert.rejects(git(work, "ls-remote", url("other", "write-repo")), /403/);
});

test("a token that is not what it should be is refused, and why is said", async (t) => {
  const { call, key, text, service } = await withKey(t);
  const other = generateKeyPairSync("ed25519").privateKey;
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const good = token(key);
  const [header, payload, signature] = good.split(".");
  await service.ensureOrganization("another");
  /** @type {[what: string, credential: string, message: RegExp | undefined][]} */
  const cases = [
    ["signed by a key that is not registered", token(other), /not registered/],
    ["signed by another key than it names", token(other, {}, { jwk: { kty: "OKP", crv: "Ed25519", x } }), /signature/],
    ["for another organisation", token(key, { iss: "another" }), /not registered/],
    ["for no organisation", token(key, { iss: "a\0" }), /not registered/],
    ["for another audience", token(key, { aud: "else" }), /audience/],
    [
      "changed",
      `${header}.${base64url({ iss: "acme", aud: "mesa-api", admin: true, iat: now(), exp: now() + 60 })}.${signature}`,
      /signature/,
    ],
    ["without a signature", `${header}.${payload}.`, /signature/],
    ["of another algorithm", token(key, {}, { alg: "none" }), /EdDSA/],
    ["of HS256", token(key, {}, { alg: "HS256" }), /HS256.*send the API key itself/],
    ["without its key", token(key, {}, { jwk: undefined }), /jwk/],
    ["of another type", token(key, {}, { typ: "JWT" }), /typ/],
    ["with a critical extension", token(key, {}, { crit: ["exp"] }), /crit/],
    ["of another curve", token(key, {}, { jwk: { kty: "OKP", crv: "X25519", x } }), /Ed25519/],
    ["expired", token(key, { iat: now() - 1000, exp: now() - 100 }), /expired/],
    ["of the future", token(key, { iat: now() + 200, exp: now() + 300 }), /future/],
    ["of five hours", token(key, { exp: now() + 5 * 3600 }), /four hours/],
    ["of no time", token(key, { iat: now(), exp: now() }), /four hours/],
    ["of all time", token(key, { iat: -(2 ** 62), exp: 2 ** 62 }), /four hours|claims/],
    ["without a grant", token(key, { admin: false }), /admin or access/],
    ["with both grants", token(key, { admin: true, access: { app: "read-repo" } }), /admin or access/],
    ["with no repository", token(key, { access: {} }), /admin or access/],
    ["with an unknown level", token(key, { access: { app: "admin" } }), /claims/],
    [
      "with too many repositories",
      token(key, { access: Object.fromEntries([...Array(251)].map((_, n) => [`r${n}`, "read-repo"])) }),
      /250/,
    ],
    ["without times", token(key, { exp: undefined }), /claims/],
    ["of noise", "a.b.c", /header/],
    ["of two parts", "a.b", undefined],
    ["of 40 KB", `${"a".repeat(40_000)}.b.c`, /too large/],
    ["a private key itself", text, /never sent/],
  ];
  for (const [what, credential, message] of cases) {
    const [status, body] = await call("GET", "/whoami", undefined, { key: credential });
    assert.deepEqual([status, body.error.code], [401, "UNAUTHENTICATED"], what);
    if (message) assert.match(body.error.message, message, what);
    assert.ok(!JSON.stringify(body).includes(text));
  }
  const skewed = [token(key, { iat: now() + 30, exp: now() + 900 }), token(key, { iat: now() - 900, exp: now() - 30 })];
  for (const credential of [good, ...skewed]) {
    assert.equal(
      (await call("GET", "/whoami", undefined, { key: credential }))[0],
      200,
      "clocks may differ by a minute",
    );
  }
});

test("a public key of somebody else's private key can be registered, another thing cannot", async (t) => {
  const { ok, service } = await start(t);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const x = present(publicKey.export({ format: "jwk" }).x);
  await service.registerPublicKey("acme", x, "ci");
  await service.registerPublicKey("acme", x);
  assert.equal((await ok("GET", "/whoami", undefined, { key: token(privateKey) })).org.slug, "acme");
  const identity = Buffer.from(`01${"00".repeat(31)}`, "hex").toString("base64url");
  for (const bad of ["", "x", `${x}=`, x.slice(1), identity]) {
    await assert.rejects(service.registerPublicKey("acme", bad), { code: "INVALID_REQUEST" }, bad);
  }
  await assert.rejects(service.registerPublicKey("nobody", x), { code: "NOT_FOUND" });
  await assert.rejects(service.createPrivateKey("nobody"), { code: "NOT_FOUND" });
});
