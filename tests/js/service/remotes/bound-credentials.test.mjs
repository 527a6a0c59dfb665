// A credential goes only to the server (scheme, host and port) that it was set for. It does not go to another one after a
// change of the URL, after somebody changed a row of the database, or after a redirect.
import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";

import { gitHttpBackend, guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { listen } from "../../../support/network/listen.mjs";
import { present } from "../../../support/present.mjs";
import { onBoth } from "../databases.mjs";
import { start } from "../support.mjs";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 * @import { TestContext } from "node:test"
 * @import { Started } from "../support.mjs"
 */

/**
 * A server that notes each received credential. It answers 404, or with `answer`. It listens on IPv4 and IPv6.
 *
 * @param {TestContext} t
 * @param {(request: IncomingMessage, response: ServerResponse) => void} [answer]
 */
async function server(t, answer = (_, response) => response.writeHead(404).end()) {
  /** @type {(string | null)[]} */
  const seen = [];
  const http = createServer((request, response) => {
    seen.push(request.headers.authorization ?? null);
    answer(request, response);
  });
  const port = await listen(http);
  t.after(() => http.close());
  return { port, url: `http://127.0.0.1:${port}`, seen };
}

const auth = { kind: "token", token: "planted-token" };
const sent = `Basic ${Buffer.from("git:planted-token").toString("base64")}`;

/**
 * Plans and runs a sync of the repository `app` in both directions.
 *
 * @param {Started} s
 */
async function everySync(s) {
  for (const direction of ["pull", "push"]) {
    await s.call("POST", "/acme/app/upstream/plan", { direction });
    await s.call("POST", "/acme/app/upstream/syncs", { direction });
    while (await s.service.tick());
  }
}

/**
 * Another start on the same database.
 *
 * @param {Started} s
 */
async function restart(s) {
  /** @type {string[]} */
  const lines = [];
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  const service = new Service({
    database: s.database,
    git: gitHttpBackend({ root: `${s.folder}/repositories` }),
    fetch,
    secretKey: new Uint8Array(32).fill(7),
    log: (line) => lines.push(line),
  });
  await service.migrate();
  return { ...s, service, lines };
}

for (const field of ["upstream", "origin"]) {
  test(`${field}: the same server however it is written keeps the credential, and nothing else does`, async (t) => {
    const s = await start(t);
    /**
     * The kind of the remaining credential, and whether there was a warning.
     *
     * @param {string} from
     * @param {string} to
     */
    const after = async (from, to) => {
      await s.ok("PATCH", "/acme/app", { [field]: { url: from, auth } });
      const changed = await s.ok("PATCH", "/acme/app", { [field]: { url: to } });
      assert.equal(changed[field].auth_kind === null, changed.warning !== undefined, `${from} to ${to}`);
      return changed[field].auth_kind;
    };
    // It is on another server, so that no change asks Git for its head.
    const elsewhere = { url: "http://127.0.0.1:9/x.git" };
    await s.ok("POST", "/acme/repos", { name: "app", upstream: elsewhere, origin: elsewhere });
    const same = [
      ["https://h.example/x.git", "https://h.example/y.git"],
      ["https://h.example/x.git", "HTTPS://H.EXAMPLE:443/x.git"],
      ["http://h.example/x.git", "http://h.example:80/x.git"],
      ["http://127.0.0.1:9/x", "http://127.1:9/x"],
      ["http://127.0.0.1:9/x", "http://0x7f000001:9/x"],
      ["http://[::1]:9/x", "http://[0:0:0:0:0:0:0:1]:9/x"],
      ["http://xn--bcher-kva.example/", "http://XN--BCHER-KVA.example/"],
    ];
    for (const [from = "", to = ""] of same) {
      assert.equal(await after(from, to), "token", `${from} to ${to}`);
      assert.equal(await after(to, from), "token", `${to} to ${from}`);
    }
    const others = [
      ["https://h.example/x.git", "http://h.example/x.git"],
      ["https://h.example/x.git", "https://h.example:8443/x.git"],
      ["https://h.example/x.git", "https://h.example./x.git"],
      ["https://h.example/x.git", "https://h.example.evil.example/x.git"],
      ["https://h.example/x.git", "https://evil.example/h.example/x.git"],
      ["https://h.example/x.git", "https://example/x.git"],
      ["http://127.0.0.1:9/x", "http://localhost:9/x"],
    ];
    for (const [from = "", to = ""] of others) {
      assert.equal(await after(from, to), null, `${from} to ${to}`);
      assert.equal(await after(to, from), null, `${to} to ${from}`);
    }
  });
}

test("both are told in one answer", async (t) => {
  const { ok } = await start(t);
  /** @param {string} host */
  const remotes = (host) => ({ upstream: { url: `https://${host}/x.git` }, origin: { url: `https://${host}/y.git` } });
  const { upstream, origin } = remotes("a.example");
  await ok("POST", "/acme/repos", { name: "app", upstream: { ...upstream, auth }, origin: { ...origin, auth } });
  const changed = await ok("PATCH", "/acme/app", remotes("b.example"));
  assert.deepEqual([changed.upstream.auth_kind, changed.origin.auth_kind], [null, null]);
  assert.match(changed.warning, /of the upstream was removed.*of the origin was removed/);
});

test("a URL whose host the URL standard refuses is refused", async (t) => {
  const { call } = await start(t);
  for (const host of ["1.2.3.4.5", "999.0.0.1", "0x.0x.0x.0xg.1", "127.0.0.256", "[1::2::3]", "[::12345]", "xn--a"]) {
    for (const field of ["upstream", "origin"]) {
      const [status, body] = await call("POST", "/acme/repos", { [field]: { url: `https://${host}/x.git` } });
      assert.equal(status, 400, `${field} ${host}`);
      assert.equal(body.error.details.fields[0].field, `${field}.url`);
    }
  }
});

test("a redirect takes the credential along within its server only", async (t) => {
  const s = await start(t);
  const other = await server(t);
  const own = await server(t, (request, response) => {
    const path = present(request.url);
    const [, kind, status, rest] = /^\/(same|other)\/(\d+)(\/.*)$/.exec(path) ?? [];
    if (!kind) return response.writeHead(404).end();
    response.writeHead(Number(status), { location: `${kind === "same" ? "" : other.url}${rest}` }).end();
  });
  await s.ok("POST", "/acme/repos", { name: "app" });
  for (const status of [301, 302, 303, 307, 308]) {
    for (const kind of ["same", "other"]) {
      const url = `${own.url}/${kind}/${status}/x.git`;
      await s.ok("PATCH", "/acme/app", { upstream: { url, auth }, origin: { url: `${own.url}/x.git`, auth } });
      own.seen.length = 0;
      await everySync(s);
      assert.ok(own.seen.length > 0);
      assert.deepEqual(new Set(own.seen), new Set([sent]), `${kind} ${status}`);
    }
  }
  assert.ok(other.seen.length >= 5, "the redirects were followed");
  assert.deepEqual(new Set(other.seen), new Set([null]));
});

test("the credential is sent to its server however its URL is written", async (t) => {
  const s = await start(t);
  const own = await server(t);
  await s.ok("POST", "/acme/repos", { name: "app" });
  for (const host of ["LOCALHOST", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.1"]) {
    const url = `HTTP://${host}:${own.port}/x.git`;
    await s.ok("PATCH", "/acme/app", { upstream: { url, auth }, origin: { url, auth } });
    own.seen.length = 0;
    await everySync(s);
    assert.ok(own.seen.length >= 2, host);
    assert.deepEqual(new Set(own.seen), new Set([sent]), host);
  }
});

/**
 * Seals a secret like an earlier version: bound only to its owner.
 *
 * @param {unknown} secret
 * @param {string} owner
 */
function sealUnbound(secret, owner) {
  const nonce = randomBytes(12);
  const aes = createCipheriv("aes-256-gcm", Buffer.alloc(32, 7), nonce).setAAD(Buffer.from(owner));
  const sealed = [nonce, aes.update(JSON.stringify(secret)), aes.final(), aes.getAuthTag()];
  return `v1.${Buffer.concat(sealed).toString("base64")}`;
}

/**
 * A service with the database of an earlier version. It has a credential of the upstream and one of the origin.
 *
 * @param {TestContext} t
 * @param {string} url
 * @param {Pick<import("../support.mjs").StartOptions, "postgres">} where
 */
async function fromBefore(t, url, where) {
  const s = await start(t, where);
  const repo = await s.ok("POST", "/acme/repos", {
    name: "app",
    upstream: { url: `${url}/up.git`, auth },
    origin: { url: `${url}/home.git`, auth },
  });
  const old = { upstream: sealUnbound(auth, repo.id), origin: sealUnbound(auth, `${repo.id}/origin`) };
  const oldCheck = sealUnbound("secret-key-check", "secret-key-check");
  await s.sql("UPDATE refsync.repos SET upstream_auth = $1, origin_auth = $2", [old.upstream, old.origin]);
  await s.sql("UPDATE refsync.secret_key_check SET sealed = $1", [oldCheck]);
  return { s, old, oldCheck };
}

for (const field of ["upstream", "origin"]) {
  onBoth(`${field}: another server in the URL drops the credential, and the answer says so`, async (t, where) => {
    const s = await start(t, where);
    const [own, other] = [await server(t), await server(t)];
    const rest = field === "origin" ? { upstream: { url: `${own.url}/up.git` } } : {};
    await s.ok("POST", "/acme/repos", { name: "app", ...rest, [field]: { url: `${own.url}/x.git`, auth } });
    await everySync(s);
    assert.ok(own.seen.includes(sent), "it is sent to its own server");

    const changed = await s.ok("PATCH", "/acme/app", { [field]: { url: `${other.url}/x.git` } });
    assert.equal(changed[field].auth_kind, null);
    assert.match(changed.warning, new RegExp(`${field} was removed.*${own.url}.*${other.url}.*Set ${field}\\.auth`));
    const shown = await s.ok("GET", "/acme/app");
    assert.equal(shown.warning, undefined, "it is about that change alone");
    await everySync(s);
    assert.ok(other.seen.length > 0, "it was asked");
    assert.deepEqual(new Set(other.seen), new Set([null]));
    // The credential is gone, also for its own server.
    own.seen.length = 0;
    const back = await s.ok("PATCH", "/acme/app", { [field]: { url: `${own.url}/x.git` } });
    assert.deepEqual([back[field].auth_kind, back.warning], [null, undefined]);
    await everySync(s);
    assert.ok(!own.seen.includes(sent));
    const set = await s.ok("PATCH", "/acme/app", { [field]: { url: `${other.url}/x.git`, auth } });
    assert.deepEqual([set[field].auth_kind, set.warning], ["token", undefined]);
  });

  onBoth(`${field}: a row that somebody has changed sends the credential nowhere`, async (t, where) => {
    const s = await start(t, where);
    const [own, other] = [await server(t), await server(t)];
    const rest = field === "origin" ? { upstream: { url: `${own.url}/up.git` } } : {};
    for (const name of ["app", "second"])
      await s.ok("POST", "/acme/repos", { name, ...rest, [field]: { url: `${own.url}/x.git`, auth } });
    const turned = [
      `UPDATE refsync.repos SET ${field}_url = '${other.url}/x.git'`,
      `UPDATE refsync.repos r SET ${field}_auth = (SELECT ${field}_auth FROM refsync.repos o WHERE o.id <> r.id)`,
      `UPDATE refsync.repos SET ${field}_url = '${own.url}/x.git'`,
      `UPDATE refsync.repos SET ${field}_auth = replace(${field}_auth, 'v2.', 'v1.')`,
    ];
    for (const sql of turned) {
      await s.sql(sql);
      await everySync(s);
      const again = await restart(s);
      await everySync(again);
    }
    assert.ok(![...own.seen, ...other.seen].includes(sent));
    const [status, body] = await s.call("POST", "/acme/app/upstream/plan", { direction: "pull" });
    assert.equal(status, 409);
    assert.match(
      body.error.message,
      new RegExp(`stored ${field} credential cannot be read.*set ${field}\\.auth again`),
    );
  });

  onBoth(`${field}: of two changes at the same time none gets the other's credential`, async (t, where) => {
    const s = await start(t, where);
    const elsewhere = { url: "http://127.0.0.1:9/x.git" };
    await s.ok("POST", "/acme/repos", { name: "app", upstream: elsewhere, origin: elsewhere });
    for (let round = 0; round < 10; round += 1) {
      await s.ok("PATCH", "/acme/app", { [field]: { url: "https://a.example/x.git", auth } });
      const [here, there] = ["https://a.example/y.git", "https://b.example/x.git"];
      const changes = [{ url: here }, { url: there, auth }].map((change) =>
        s.ok("PATCH", "/acme/app", { [field]: change }),
      );
      await Promise.all(round % 2 ? changes : changes.reverse());
      const { url, auth_kind } = (await s.ok("GET", "/acme/app"))[field];
      assert.ok([`${there} token`, `${here} null`].includes(`${url} ${auth_kind}`), `${url} ${auth_kind}`);
    }
  });
}

onBoth(`what an earlier version sealed is bound at the first start to the server beside it`, async (t, where) => {
  const own = await server(t);
  const { s } = await fromBefore(t, own.url, where);
  const again = await restart(s);
  assert.match(again.lines.join("\n"), /2 stored secrets were encrypted again, 0 cannot be read/);
  const [row] = await s.sql("SELECT upstream_auth, origin_auth FROM refsync.repos");
  assert.deepEqual([row.upstream_auth.slice(0, 3), row.origin_auth.slice(0, 3)], ["v2.", "v2."]);
  await everySync(again);
  assert.ok(own.seen.length >= 4);
  assert.deepEqual(new Set(own.seen), new Set([sent]));
  assert.deepEqual((await restart(s)).lines, [], "there is nothing to do at the next start");
});

onBoth(`a start that dies while it binds is finished by the next one`, async (t, where) => {
  const own = await server(t);
  const { s } = await fromBefore(t, own.url, where);
  let replaced = 0;
  /** @type {import("refsync/service").Database} */
  const dying = {
    query(text, params) {
      if (text.includes("upstream_auth = $1::jsonb ->> 'sealed_anew'")) replaced += 1;
      if (replaced > 1) throw new Error("killed");
      return s.database.query(text, params);
    },
  };
  const secretKey = new Uint8Array(32).fill(7);
  const host = gitHttpBackend({ root: `${s.folder}/repositories` });
  const service = new Service({ database: dying, git: host, fetch, secretKey, log: () => {} });
  await assert.rejects(service.migrate(), /killed/);
  const prefixes = async () => {
    const [row] = await s.sql("SELECT upstream_auth, origin_auth FROM refsync.repos");
    return [row.upstream_auth.slice(0, 3), row.origin_auth.slice(0, 3)].sort();
  };
  assert.deepEqual(await prefixes(), ["v1.", "v2."]);
  await everySync(await restart(s));
  assert.deepEqual(await prefixes(), ["v2.", "v2."]);
  assert.deepEqual(new Set(own.seen), new Set([sent]));
});

onBoth(
  `after that an old seal opens nowhere, also if the old check is put back or the check is removed`,
  async (t, where) => {
    const own = await server(t);
    const { s, old, oldCheck } = await fromBefore(t, own.url, where);
    await restart(s);
    await s.ok("POST", "/acme/repos", { name: "bound", upstream: { url: `${own.url}/up.git`, auth } });
    const other = await server(t);
    /** @type {[sql: string, params?: unknown[]][]} */
    const checks = [
      ["SELECT"],
      ["UPDATE refsync.secret_key_check SET sealed = $1", [oldCheck]],
      ["DELETE FROM refsync.secret_key_check"],
    ];
    for (const [sql, params] of checks) {
      const urls = [`${other.url}/up.git`, `${other.url}/home.git`];
      await s.sql(
        `UPDATE refsync.repos SET upstream_auth = $1, origin_auth = $2, upstream_url = $3, origin_url = $4 WHERE name = 'app'`,
        [old.upstream, old.origin, ...urls],
      );
      await s.sql(sql, params);
      await everySync(s);
      await everySync(await restart(s));
      assert.ok(!other.seen.includes(sent), sql);
    }
  },
);
