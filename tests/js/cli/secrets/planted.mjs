// Plants credentials with known values in a service, and uses every feature of the service.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { git, serveWith, terminal, workTree } from "../support.mjs";
import { plantKeys } from "./planted-keys.mjs";
import { echo, processes, receiver, token, upstreams } from "./surroundings.mjs";

/**
 * @import { Served } from "../support.mjs"
 * @import { TestContext } from "node:test"
 * @import { SyncRun } from "refsync"
 *
 * @typedef {Awaited<ReturnType<typeof plantKeys>>} PlantedKeys
 * @typedef {"token" | "password" | "urlPassword" | "secretKey" | "previousKey"} Own
 * @typedef {Record<Own | "apiKey" | "wrongKey" | "webhookSecret" | "hookSecret", string> & PlantedKeys["secrets"]} Planted
 */

/**
 * @typedef {object} Walk
 * @property {string} data
 * @property {NodeJS.ProcessEnv} [env]
 * @property {() => Promise<import("refsync/service").Database & { close(): Promise<void> }>} open
 * @property {boolean} retried
 */

/**
 * Plants credentials in a service on `database`, which `open` opens before it is served from `data` with the variables
 * `env`, lets syncs succeed and fail. Returns the planted credentials, and every visible text by its place. `retried`: also
 * includes temporary failures.
 *
 * @param {TestContext} t
 * @param {Walk} options
 */
export async function walk(t, { data, env = {}, open, retried }) {
  const own = {
    // A password with every character that some kind of escaping changes.
    token: `planted "token"\\/%2f%2F+  <b>&amp;'${randomBytes(8).toString("hex")}`,
    password: `planted\\n:p\u00e4ss@#?[]{}|;="%25"${randomBytes(8).toString("hex")}`,
    urlPassword: `planted-url/%2F\\"${randomBytes(8).toString("hex")}`,
    secretKey: randomBytes(32).toString("base64"),
    previousKey: randomBytes(32).toString("base64"),
  };
  const database = await open();
  const fetchGuarded = guardedFetch();
  const keyless = () => Promise.reject(new Error("there are no repositories yet"));
  const service = new Service({
    database,
    git: { create: keyless, remove: keyless, setHead: keyless, fetch: keyless },
    fetch: fetchGuarded,
    secretKey: new Uint8Array(Buffer.from(own.previousKey, "base64")),
  });
  await service.migrate();
  await service.ensureOrganization("default");
  const made = await plantKeys(service, "default");
  fetchGuarded.close();
  await database.close();

  /** @type {Record<string, string>} */
  const places = {};
  /**
   * @param {string} place
   * @param {unknown} text
   */
  const keep = (place, text) => {
    places[place] = `${places[place] ?? ""}\n${typeof text === "string" ? text : JSON.stringify(text)}`;
  };
  const [hostile, hook, tree] = [await echo(t), await receiver(t), await workTree(t)];
  const first = { ...env, REFSYNC_SECRET_KEY: own.previousKey };
  let s = await serveWith(t, first, data, "--allow-private-network", "--metrics");

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | string} [body]
   */
  const api = async (method, path, body) => {
    const answer = await s.api(method, path, body);
    keep(`the answer of ${method} ${path}`, answer);
    return answer;
  };
  // Its answer contains the secret, once.
  const events = ["repo.created", "repo.updated", "repo.deleted"];
  for (const status of ["queued", "in_progress", "completed", "failed"]) events.push(`sync.${status}`);
  const { secret } = (await s.api("POST", "/webhook-targets", { url: hook.url, events })).body;
  /** @type {Planted} */
  const planted = {
    ...own,
    ...made.secrets,
    apiKey: s.apiKey,
    wrongKey: `${s.apiKey.slice(0, -4)}AAAA`,
    webhookSecret: secret,
    hookSecret: "",
  };
  await api("POST", "/repos", { name: "up" });
  await git(tree, "push", "--quiet", s.remote("up"), "main", "v1");

  const all = Object.entries(upstreams(s.url, hostile, planted));
  const taken = all.filter(([name]) => retried || !["failing", "unreachable", "nobody"].includes(name));
  let seen = "";
  const watching = setInterval(() => {
    seen += processes(s.pid);
  }, 25);
  t.after(() => clearInterval(watching));
  for (const [name, upstream] of taken) {
    const { body: repo } = await api("POST", "/repos", { name, upstream });
    for (const direction of ["pull", "push"]) {
      await api("POST", `/${name}/upstream/plan`, { direction });
      await api("POST", `/${name}/upstream/syncs`, { direction });
    }
    await api("PATCH", `/${name}`, { upstream: { ...upstream, schedule: { every: "30d" } } });
    assert.ok(repo.upstream.auth_kind, name);
  }
  // Its answer contains the secret, once, and the hook's caller sends it.
  const called = (await s.api("POST", "/good/upstream/hook")).body;
  planted.hookSecret = called.secret;
  const headers = { "x-gitlab-event": "Push Hook", "x-gitlab-token": planted.hookSecret };
  const answer = await fetch(called.url, { method: "POST", headers, body: '{"ref": 7}' });
  keep("the answer of a hook", await answer.text());
  await refusals(s.url, api, planted, made.keys);
  await calls(s, made, planted, keep);

  const ended = async () => {
    for (const [name] of taken) {
      const { body } = await api("GET", `/${name}/upstream/syncs`);
      for (const { id } of body.syncs) {
        keep(`run ${name}`, await terminal({ api }, id, name));
        const followed = await fetch(`${s.url}/v1/default/${name}/upstream/syncs/${id}/events`, {
          headers: { authorization: `Bearer ${s.apiKey}`, "last-event-id": "0" },
        });
        keep("events", await followed.text());
      }
    }
  };
  await ended();
  const good = (await api("GET", "/good/upstream/syncs")).body.syncs.map((/** @type {SyncRun} */ run) => run.status);
  assert.deepEqual(good, ["completed", "completed"], "some of it has to work, too");
  // The credential did arrive in a place where it could become visible.
  for (const [name, seen] of Object.entries({
    names: /"refs\/heads\/x\d+\/\[credential\]/,
    namesToo: /"refs\/heads\/x\d+\/\[credential\]/,
    page: /you sent Basic \[credential\]/,
    json: /you sent Basic \[credential\]/,
  })) {
    assert.match(present(places[`the answer of POST /${name}/upstream/plan`]), seen, name);
  }
  keep("metrics", await (await fetch(`${s.url}/metrics`)).text());
  await s.stop();
  keep("the log", s.log());

  // A restart with another key.
  const rotated = { REFSYNC_SECRET_KEY: planted.secretKey, REFSYNC_PREVIOUS_SECRET_KEYS: planted.previousKey };
  s = await serveWith(t, { ...env, ...rotated }, data, "--allow-private-network", "--log", "text");
  assert.equal(s.apiKey, planted.apiKey);
  for (const name of ["unauthorized", "protocol"]) await api("POST", `/${name}/upstream/syncs`, { direction: "pull" });
  await ended();
  await api("GET", "/repos");
  await api("GET", "/webhook-targets");
  await calls(s, made, planted, keep);
  await s.stop();
  clearInterval(watching);
  keep("the log as text", s.log());
  keep("deliveries", hook.bodies.join("\n"));
  keep("the process list", seen);

  assert.match(
    present(places["the process list"]),
    /http-backend\0.*GIT_PROJECT_ROOT/,
    "Git was seen at work, with its environment",
  );
  const log = present(places["the log"]);
  assert.match(log, /"event":"sync"/);
  assert.match(log, /\[credential\]/, "an upstream did repeat what it was sent");
  assert.ok(hook.bodies.length > 10);
  return { planted, places };
}

/**
 * An answer must not repeat the bad value of a request.
 *
 * @param {string} base
 * @param {Served["api"]} api
 * @param {Planted} planted
 * @param {PlantedKeys["keys"]} keys
 */
async function refusals(base, api, planted, keys) {
  const url = `${base}/default/up.git`;
  const joe = { kind: "username_password", username: "joe", password: planted.password };
  const urlPassword = encodeURIComponent(planted.urlPassword);
  /** @param {string} auth */
  const twice = (auth) => `{"upstream":{"url":${JSON.stringify(url)},"auth":${auth},"auth":null}}`;
  for (const auth of [JSON.stringify(planted.token), JSON.stringify({ kind: planted.password }), JSON.stringify(joe)]) {
    assert.equal((await api("POST", "/repos", twice(auth))).status, 400);
  }
  await api("POST", "/repos", { upstream: { url, auth: { kind: "token", token: [planted.token] } } });
  await api("POST", "/repos", { upstream: { url, auth: { kind: planted.token } } });
  await api("POST", "/repos", { upstream: { url: `http://joe:${urlPassword}@h/?x=${urlPassword}`, auth: joe } });
  await api("POST", "/repos", { upstream: { url: `ssh://joe:${urlPassword}@h/x` } });
  await api("POST", "/webhook-targets", { url: `http://joe:${urlPassword}@h/` });
  for (const key of Object.values(keys)) {
    const answers = [
      await api("POST", "/repos", { upstream: { url, auth: key } }),
      await api("POST", "/repos", { upstream: { url, auth: { kind: key } } }),
      await api("POST", "/repos", { upstream: { url: key } }),
      await api("POST", "/repos", { upstream: { url, auth: { ...joe, username: `${key}:` } } }),
      await api("POST", "/repos", { origin: key }),
    ];
    for (const { status } of answers) assert.equal(status, 400);
  }
  // A line break cannot be sent in a password.
  assert.equal((await api("POST", "/repos", { upstream: { url, auth: token(planted.pem) } })).status, 400);
}

/**
 * Makes calls of the API and of Git, with valid and with invalid credentials.
 *
 * @param {Served} s
 * @param {PlantedKeys} made
 * @param {Planted} planted
 * @param {(place: string, text: unknown) => void} keep
 */
async function calls(s, { tokens, keys }, planted, keep) {
  /**
   * @param {string} path
   * @param {string} authorization
   */
  const call = async (path, authorization) => {
    const response = await fetch(`${s.url}${path}`, { headers: { authorization } });
    keep(`an answer of ${path}`, `${JSON.stringify([...response.headers])} ${await response.text()}`);
    return response.status;
  };
  /** @param {string} credential */
  const status = async (credential) => {
    const basic = `Basic ${Buffer.from(`x:${credential}`).toString("base64")}`;
    const [org, repo] = ["/v1/default/repos", "/v1/default/good"];
    const git = "/default/good.git/info/refs?service=git-upload-pack";
    return [await call(org, `Bearer ${credential}`), await call(repo, `Bearer ${credential}`), await call(git, basic)];
  };
  assert.deepEqual(await status(tokens.token), [200, 200, 200]);
  assert.deepEqual(await status(tokens.repoToken), [403, 200, 200]);
  const { pem, ...sendable } = keys;
  const bad = { ...sendable, pem: pem.replaceAll("\n", ""), wrong: planted.wrongKey, password: planted.password };
  for (const [name, credential] of Object.entries({ ...bad, expired: tokens.expired, forged: tokens.forged })) {
    assert.deepEqual(await status(credential), [401, 401, 401], name);
  }
}
