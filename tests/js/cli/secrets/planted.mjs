// Credentials with known values, and everything that a service does with them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

import { guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { listen } from "../../../support/network/listen.mjs";
import { present } from "../../../support/present.mjs";
import { git, serveWith, terminal, workTree } from "../support.mjs";
import { plantKeys } from "./planted-keys.mjs";

/**
 * @import { Served } from "../support.mjs"
 * @import { TestContext } from "node:test"
 * @import { SyncRun } from "refsync"
 *
 * @typedef {Awaited<ReturnType<typeof plantKeys>>} PlantedKeys
 * @typedef {"token" | "password" | "urlPassword" | "secretKey" | "previousKey"} Own
 * @typedef {Record<Own | "apiKey" | "wrongKey" | "webhookSecret", string> & PlantedKeys["secrets"]} Planted
 */

/**
 * @typedef {object} Walk
 * @property {string} data
 * @property {NodeJS.ProcessEnv} [env]
 * @property {() => Promise<import("refsync/service").Database & { close(): Promise<void> }>} open
 * @property {boolean} retried
 */

/**
 * Each credential, the forms that it may be repeated in, and parts of those that HTTP sends, of which a cut may leave some.
 *
 * @param {Record<string, string>} planted
 * @returns {[name: string, form: string][]}
 */
function forms(planted) {
  return Object.entries(planted).flatMap(([name, value]) => {
    const basic = ["git", "joe", "x"].map((user) => Buffer.from(`${user}:${value}`).toString("base64"));
    const parts = basic.flatMap((form) => form.match(/.{24}/g) ?? []);
    const all = [value, ...spellings(value), Buffer.from(value).toString("hex"), ...basic, ...parts];
    return all.map((form) => /** @type {[string, string]} */ ([name, form]));
  });
}

/**
 * The ways in which programs write a text in another one.
 *
 * @param {string} text
 */
function spellings(text) {
  /** @type {Record<string, string>} */
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const percent = encodeURIComponent(text);
  const json = JSON.stringify(text).slice(1, -1);
  let mixed = 0;
  return [
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    percent.replace(/%[0-9A-F]{2}/g, (byte) => (mixed++ % 2 ? byte : byte.toLowerCase())),
    percent.replaceAll("%20", "+"),
    json,
    json.replaceAll("/", "\\/"),
    JSON.stringify(json).slice(1, -1),
    text.replace(/[&<>"']/g, (character) => entities[character] ?? character),
  ];
}

/**
 * Fails where one of them is in one of these places, by name.
 *
 * @param {Record<string, string>} planted
 * @param {Record<string, string>} places
 */
export function assertNowhere(planted, places) {
  const searched = forms(planted);
  for (const [place, content] of Object.entries(places)) {
    for (const [name, form] of searched) assert.ok(!content.includes(form), `${place} has the ${name}: ${form}`);
  }
}

/**
 * Git servers that refuse, and repeat whatever they were sent.
 *
 * @param {TestContext} t
 */
async function echo(t) {
  const server = createServer((request, response) => {
    const sent = request.headers.authorization ?? "";
    const decoded = Buffer.from(sent.replace(/^Basic /, ""), "base64").toString();
    const password = decoded.slice(decoded.indexOf(":") + 1);
    const all = [
      ...spellings(password),
      Buffer.from(password).toString("hex"),
      Buffer.from(password).toString("base64url"),
    ];
    const said = `you sent ${sent}, which is ${decoded}, and ${all.join(", ")}`;
    const path = request.url ?? "/";
    const type = "application/x-git-upload-pack-advertisement";
    if (path.startsWith("/refs/") && request.method === "GET") {
      // Each spelling that a ref may be named.
      const names = all
        .filter((name) => /^[\w%+.-]+$/.test(name) && password)
        .map((name, n) => `refs/heads/x${n}/${name}`);
      const ids = `${"1".repeat(40)} `;
      const lines = [`${ids}refs/heads/main\0agent=git/2\n`, ...names.map((name) => `${ids}${name}\n`)];
      const packets = lines.map((line) => (Buffer.byteLength(line) + 4).toString(16).padStart(4, "0") + line);
      response.writeHead(200, { "content-type": type });
      response.end(`001e# service=git-upload-pack\n0000${packets.join("")}0000`);
    } else if (path.startsWith("/refs/")) {
      response.writeHead(404).end();
    } else if (path.startsWith("/page/")) {
      const page = `<!doctype html><title>No</title><p>${spellings(said).at(-1)}</p>`;
      response.writeHead(400, { "content-type": "text/html" }).end(page);
    } else if (path.startsWith("/json/")) {
      response
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ message: said, errors: [all] }));
    } else if (path.startsWith("/err/")) {
      // A packet has 65,520 bytes at most.
      const line = `ERR ${said}\n`;
      response.writeHead(200, { "content-type": type });
      response.end(
        `001e# service=git-upload-pack\n0000${(Buffer.byteLength(line) + 4).toString(16).padStart(4, "0")}${line}`,
      );
    } else {
      const [, status = "500"] = /^\/(\d+)\//.exec(path) ?? [];
      response.writeHead(Number(status), { "content-type": "text/plain" }).end(said);
    }
  });
  const port = await listen(server);
  t.after(() => server.close());
  return `http://127.0.0.1:${port}`;
}

/**
 * Takes deliveries; answers 500 to each second one, so that they are told about.
 *
 * @param {TestContext} t
 */
async function receiver(t) {
  /** @type {string[]} */
  const bodies = [];
  const server = createServer(async (request, response) => {
    let body = JSON.stringify(request.headers);
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(bodies.length % 2 === 0 ? 500 : 204).end();
  });
  const port = await listen(server);
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${port}/hook`, bodies };
}

/**
 * The arguments of every process, and the environment of the Git commands that the service started.
 *
 * @param {number | undefined} parent
 */
function processes(parent) {
  /** @param {string} path */
  const read = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return ids
    .map((id) => {
      const isChild = new RegExp(`^PPid:\\s${parent}$`, "m").test(read(`/proc/${id}/status`));
      const args = read(`/proc/${id}/cmdline`);
      // Until a child has become Git it shows what its parent was started with.
      return isChild && args.startsWith("git\0") ? args + read(`/proc/${id}/environ`) : args;
    })
    .join("\n");
}

/** @param {string} value */
const token = (value) => ({ kind: "token", token: value });

/**
 * Upstreams that accept, refuse, fail, and repeat what they were sent, each with a credential.
 *
 * @param {string} url
 * @param {string} hostile
 * @param {Planted} planted
 */
function upstreams(url, hostile, planted) {
  /** @param {string} password */
  const joe = (password) => ({ kind: "username_password", username: "joe", password });
  return {
    good: { url: `${url}/default/up.git`, auth: token(planted.apiKey) },
    refused: { url: `${url}/default/up.git`, auth: token(planted.token) },
    signed: { url: `${url}/default/up.git`, auth: token(planted.expired) },
    unauthorized: { url: `${hostile}/401/x.git`, auth: token(planted.privateKey) },
    forbidden: { url: `${hostile}/403/x.git`, auth: joe(planted.password) },
    strange: { url: `${hostile}/418/x.git`, auth: token(planted.pemLine) },
    protocol: { url: `${hostile}/err/x.git`, auth: joe(planted.password) },
    key: { url: `${hostile}/err/x.git`, auth: token(planted.jwk) },
    page: { url: `${hostile}/page/x.git`, auth: token(planted.token) },
    json: { url: `${hostile}/json/x.git`, auth: joe(planted.password) },
    names: { url: `${hostile}/refs/x.git`, auth: joe(planted.password) },
    namesToo: { url: `${hostile}/refs/x.git`, auth: token(planted.token) },
    inUrl: { url: `${hostile.replace("://", `://joe:${encodeURIComponent(planted.urlPassword)}@`)}/401/x.git` },
    // These are tried three times.
    failing: { url: `${hostile}/500/x.git`, auth: joe(planted.jwk) },
    unreachable: { url: `http://127.0.0.1:9/x.git`, auth: token(planted.token) },
    nobody: { url: "http://nobody.invalid/x.git", auth: joe(planted.password) },
  };
}

/**
 * Plants credentials in a service on `database`, which `open` opens before it is served from `data` with the variables `env`,
 * lets syncs succeed and fail, and gives what was planted and what anybody could then see, by where. `retried`: also
 * what fails for a while.
 *
 * @param {TestContext} t
 * @param {Walk} options
 */
export async function walk(t, { data, env = {}, open, retried }) {
  const own = {
    // With every character that some escaping touches.
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
  // Its answer has the secret, once.
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
  // It did come in where it could be seen.
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
 * What is wrong in a request is not repeated.
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
  // A line's end cannot be sent as a password.
  assert.equal((await api("POST", "/repos", { upstream: { url, auth: token(planted.pem) } })).status, 400);
}

/**
 * Calls with credentials that are good, and with some that are not, of the API and of Git.
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
