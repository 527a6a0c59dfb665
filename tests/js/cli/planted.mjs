// Credentials with known values, everything that a service does with them, and then a search for them everywhere that
// anybody but their owner may look.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { postgres } from "../../support/postgres.mjs";
import { folder, git, serveWith, terminal, workTree } from "./support.mjs";

/** Each credential, and the forms that it may be repeated in. */
function forms(planted) {
  return Object.entries(planted).flatMap(([name, value]) => {
    const basic = ["git", "joe", "x"].map((user) => Buffer.from(`${user}:${value}`).toString("base64"));
    return [value, encodeURIComponent(value), Buffer.from(value).toString("hex"), ...basic].map((form) => [name, form]);
  });
}

/** Git servers that refuse, and repeat whatever they were sent. */
async function echo(t) {
  const server = createServer((request, response) => {
    const sent = request.headers.authorization ?? "";
    const decoded = Buffer.from(sent.replace(/^Basic /, ""), "base64").toString();
    const said = `you sent ${sent}, which is ${decoded}, and ${encodeURIComponent(decoded.split(":")[1] ?? "")}`;
    if (request.url.startsWith("/err/")) {
      const line = `ERR ${said}\n`;
      const type = "application/x-git-upload-pack-advertisement";
      response.writeHead(200, { "content-type": type });
      response.end(`001e# service=git-upload-pack\n0000${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
    } else {
      const [, status = "500"] = /^\/(\d+)\//.exec(request.url) ?? [];
      response.writeHead(Number(status), { "content-type": "text/plain" }).end(said);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Takes deliveries; answers 500 to each second one, so that they are told about. */
async function receiver(t) {
  const bodies = [];
  const server = createServer(async (request, response) => {
    let body = JSON.stringify(request.headers);
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(bodies.length % 2 === 0 ? 500 : 204).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/hook`, bodies };
}

/** The arguments of every process, and the environment of the Git commands that the service started. */
function processes(parent) {
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

test("no planted credential is in any log, error, event, table, answer or process list", async (t) => {
  const server = await postgres({
    log_statement: "all",
    log_min_duration_statement: 0,
    track_activity_query_size: 16384,
  });
  t.after(() => server.stop());
  const planted = {
    token: `planted token/${randomBytes(8).toString("hex")}`,
    password: `planted-password:${randomBytes(8).toString("hex")}`,
    urlPassword: `planted-url-${randomBytes(8).toString("hex")}`,
    databasePassword: `planted-database-${randomBytes(8).toString("hex")}`,
    secretKey: randomBytes(32).toString("base64"),
    previousKey: randomBytes(32).toString("base64"),
  };
  const places = {};
  const keep = (place, text) => {
    places[place] = `${places[place] ?? ""}\n${typeof text === "string" ? text : JSON.stringify(text)}`;
  };
  const database = server.url.replace("refsync@", `refsync:${planted.databasePassword}@`);
  const env = { REFSYNC_DATABASE_URL: database, REFSYNC_SECRET_KEY: planted.previousKey };
  const data = join(folder(t), "data");
  const [hostile, hook, tree] = [await echo(t), await receiver(t), await workTree(t)];

  let s = await serveWith(t, env, data, "--allow-private-network", "--metrics");
  planted.apiKey = s.apiKey;
  const api = async (method, path, body) => {
    const answer = await s.api(method, path, body);
    keep(`the answer of ${method} ${path}`, answer);
    return answer;
  };
  // Its answer has the secret, once.
  const target = (
    await s.api("POST", "/webhook-targets", {
      url: hook.url,
      events: [
        "sync.queued",
        "sync.in_progress",
        "sync.completed",
        "sync.failed",
        "repo.created",
        "repo.updated",
        "repo.deleted",
      ],
    })
  ).body;
  planted.webhookSecret = target.secret;
  await api("POST", "/repos", { name: "up" });
  await git(tree, "push", "--quiet", s.remote("up"), "main", "v1");

  const token = (value) => ({ kind: "token", token: value });
  const joe = { kind: "username_password", username: "joe", password: planted.password };
  const upstreams = {
    good: { url: `${s.url}/default/up.git`, auth: token(s.apiKey) },
    refused: { url: `${s.url}/default/up.git`, auth: token(planted.token) },
    unauthorized: { url: `${hostile}/401/x.git`, auth: token(planted.token) },
    forbidden: { url: `${hostile}/403/x.git`, auth: joe },
    failing: { url: `${hostile}/500/x.git`, auth: joe },
    strange: { url: `${hostile}/418/x.git`, auth: token(planted.token) },
    protocol: { url: `${hostile}/err/x.git`, auth: joe },
    inUrl: { url: `${hostile.replace("://", `://joe:${planted.urlPassword}@`)}/401/x.git` },
    unreachable: { url: `http://127.0.0.1:9/x.git`, auth: token(planted.token) },
    nobody: { url: "http://nobody.invalid/x.git", auth: joe },
  };
  let seen = "";
  const watching = setInterval(() => {
    seen += processes(s.pid);
  }, 25);
  t.after(() => clearInterval(watching));
  for (const [name, upstream] of Object.entries(upstreams)) {
    const { body: made } = await api("POST", "/repos", { name, upstream });
    for (const direction of ["pull", "push"]) {
      await api("POST", `/${name}/upstream/plan`, { direction });
      await api("POST", `/${name}/upstream/syncs`, { direction });
    }
    await api("PATCH", `/${name}`, { upstream: { ...upstream, schedule: { every: "1h" } } });
    assert.ok(made.upstream.auth_kind, name);
  }
  // What is wrong is not repeated.
  const { url } = upstreams.good;
  await api("POST", "/repos", { upstream: { url, auth: { kind: "token", token: [planted.token] } } });
  await api("POST", "/repos", { upstream: { url, auth: { kind: planted.token } } });
  await api("POST", "/repos", { upstream: { url: `http://joe:${planted.urlPassword}@h/?x`, auth: joe } });
  await api("POST", "/repos", { upstream: { url: `ssh://joe:${planted.urlPassword}@h/x` } });
  await api("POST", "/webhook-targets", { url: `http://joe:${planted.urlPassword}@h/` });
  const wrong = `${s.apiKey.slice(0, -4)}AAAA`;
  for (const credential of [`Bearer ${wrong}`, `Basic ${Buffer.from(`x:${planted.password}`).toString("base64")}`]) {
    keep("a refusal", await (await fetch(`${s.url}/v1/whoami`, { headers: { authorization: credential } })).text());
  }
  planted.wrongKey = wrong;

  const ended = async () => {
    for (const name of Object.keys(upstreams)) {
      const { body } = await api("GET", `/${name}/upstream/syncs`);
      for (const { id } of body.syncs) {
        const run = await terminal(
          { api: (method, path, more) => api(method, path.replace("/app/", `/${name}/`), more) },
          id,
        );
        keep(`run ${name}`, run);
        const events = await fetch(`${s.url}/v1/default/${name}/upstream/syncs/${id}/events`, {
          headers: { authorization: `Bearer ${s.apiKey}`, "last-event-id": "0" },
        });
        keep("events", await events.text());
      }
    }
  };
  await ended();
  const good = (await api("GET", "/good/upstream/syncs")).body.syncs.map(({ status }) => status);
  assert.deepEqual(good, ["completed", "completed"], "some of it has to work, too");
  const metrics = await fetch(`${s.url}/metrics`);
  keep("metrics", await metrics.text());
  await s.stop();
  keep("the log", s.log());

  // A restart with another key, and a wrong one.
  const rotated = { REFSYNC_SECRET_KEY: planted.secretKey, REFSYNC_PREVIOUS_SECRET_KEYS: planted.previousKey };
  s = await serveWith(t, { ...env, ...rotated }, data, "--allow-private-network", "--log", "text");
  assert.equal(s.apiKey, planted.apiKey);
  for (const name of ["refused", "protocol"]) await api("POST", `/${name}/upstream/syncs`, { direction: "pull" });
  await ended();
  await api("GET", "/repos");
  await api("GET", "/webhook-targets");
  await api("DELETE", "/protocol");
  await s.stop("SIGTERM");
  clearInterval(watching);
  keep("the log as text", s.log());
  keep("deliveries", hook.bodies.join("\n"));
  keep("the process list", seen);
  keep("PostgreSQL's log", server.log());
  keep("the dump", await server.dump("--schema=refsync"));

  assert.match(
    places["the process list"],
    /http-backend\0.*GIT_PROJECT_ROOT/,
    "Git was seen at work, with its environment",
  );
  assert.match(
    places["PostgreSQL's log"],
    /upstream_auth.*DETAIL: {2}parameters/s,
    "statements were logged with their parameters",
  );
  assert.match(places["the log"], /"event":"sync"/);
  assert.match(places["the log"], /\[credential\]/, "an upstream did repeat what it was sent");
  assert.ok(hook.bodies.length > 10);
  for (const [place, text] of Object.entries(places)) {
    for (const [name, form] of forms(planted)) assert.ok(!text.includes(form), `${place} has the ${name}: ${form}`);
  }
});
