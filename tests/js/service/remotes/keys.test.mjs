import assert from "node:assert/strict";
import { test } from "node:test";

import { gitHttpBackend, guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { deliverAll, isSigned, receive } from "../receiver.mjs";
import { start } from "../support.mjs";

/**
 * @import { ServiceOptions } from "refsync/service"
 * @import { Started } from "../support.mjs"
 */

/** @param {number} byte */

const key = (byte) => new Uint8Array(32).fill(byte);

/**
 * Another start on the same database, with these keys.
 *
 * @param {Started} s
 * @param {Pick<ServiceOptions, "secretKey" | "previousSecretKeys" | "acceptLostKey">} options
 */
function restart(s, options) {
  /** @type {string[]} */
  const lines = [];
  const service = new Service({
    database: s.database,
    git: gitHttpBackend({ root: `${s.folder}/repositories` }),
    fetch: guardedFetch({ allow: ["127.0.0.0/8"] }),
    log: (line) => lines.push(line),
    ...options,
  });
  return { service, lines };
}

/**
 * @param {Started} s
 * @returns {Promise<string[]>}
 */
const sealed = async (s) =>
  (
    await s.sql(
      "SELECT upstream_auth AS sealed FROM refsync.repos UNION ALL SELECT hook_secret FROM refsync.repos UNION ALL SELECT secret FROM refsync.webhook_targets ORDER BY 1",
    )
  ).map((row) => row.sealed);

/**
 * A repository with a credential, and a target whose secret was rotated.
 *
 * @param {import("node:test").TestContext} t
 */
async function withSecrets(t) {
  const s = await start(t);
  const receiver = await receive(t);
  const auth = { kind: "token", token: "planted-token" };
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git", auth } });
  const hook = await s.ok("POST", "/acme/app/upstream/hook");
  const target = await s.ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["repo.created"] });
  const rotated = await s.ok("POST", `/acme/webhook-targets/${target.id}/rotate-secret`);
  return { s, receiver, hook, secrets: [target.secret, rotated.secret] };
}

test("a start with a new key and the one before seals everything anew, and the old one is not needed again", async (t) => {
  const { s, receiver, hook, secrets } = await withSecrets(t);
  const before = await sealed(s);
  const rotating = restart(s, { secretKey: key(8), previousSecretKeys: [key(6), key(7)] });
  await rotating.service.migrate();
  assert.match(rotating.lines.join("\n"), /4 stored secrets were encrypted again, 0 cannot be read/);
  const after = await sealed(s);
  assert.equal(after.length, 3);
  assert.ok(after.every((text) => !before.includes(text)));

  const { service, lines } = restart(s, { secretKey: key(8) });
  await service.migrate();
  assert.deepEqual(await sealed(s), after, "what is under the present key stays as it is");
  await s.ok("POST", "/acme/repos", { name: "other" });
  await deliverAll(service);
  assert.ok(isSigned(present(receiver.deliveries[0]), secrets[1]), "the webhook secret is the one that it was");
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await service.tick();
  const headers = { "x-gitlab-event": "Push Hook", "x-gitlab-token": hook.secret };
  const called = new Request(`http://service.test${hook.url}`, {
    method: "POST",
    headers,
    body: '{"ref":"refs/heads/main"}',
  });
  assert.equal((await service.fetch(called)).status, 200, "the hook's secret is the one that it was");
  assert.match(lines.join("\n"), /ECONNREFUSED/, "the credential was read, and the upstream was tried");
});

test("processes may know the next key before any of them uses it", async (t) => {
  const { s } = await withSecrets(t);
  await restart(s, { secretKey: key(7), previousSecretKeys: [key(8)] }).service.migrate();
  await restart(s, { secretKey: key(8), previousSecretKeys: [key(7)] }).service.migrate();
  await restart(s, { secretKey: key(8) }).service.migrate();
});

test("a wrong key is refused at the start, and nothing is changed", async (t) => {
  const { s } = await withSecrets(t);
  const before = await sealed(s);
  const wrong = { secretKey: key(9), previousSecretKeys: [key(5)] };
  await assert.rejects(
    restart(s, wrong).service.migrate(),
    /the secret key is not the one.*REFSYNC_PREVIOUS_SECRET_KEYS/,
  );
  assert.deepEqual(await sealed(s), before);
  await restart(s, { secretKey: key(7) }).service.migrate();
});

test("a database from before there was a check of the key refuses a wrong one too", async (t) => {
  const { s } = await withSecrets(t);
  await s.sql("DELETE FROM refsync.secret_key_check");
  await assert.rejects(restart(s, { secretKey: key(9) }).service.migrate(), /the secret key is not the one/);
  await restart(s, { secretKey: key(7) }).service.migrate();
});

test("a lost key can be accepted: the service starts, and runs say what has to be set again", async (t) => {
  const { s } = await withSecrets(t);
  const { service, lines } = restart(s, { secretKey: key(9), acceptLostKey: true });
  await service.migrate();
  assert.match(lines.join("\n"), /0 stored secrets were encrypted again, 4 cannot be read/);
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await service.tick();
  const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.match(run.error, /cannot be read with this service's secret key; set upstream\.auth again/);
  await restart(s, { secretKey: key(9) }).service.migrate();
});

test("a key that is none is a TypeError", () => {
  // The keys are checked first.
  const git = /** @type {import("refsync/service").GitHost} */ ({});
  const database = /** @type {import("refsync/service").Database} */ ({});
  const options = { database, git, fetch, secretKey: key(1) };
  assert.throws(() => new Service({ ...options, secretKey: key(1).slice(1) }), /32 bytes/);
  assert.throws(
    () => new Service({ ...options, previousSecretKeys: [key(1).slice(1)] }),
    /previousSecretKeys.*32 bytes/,
  );
});
