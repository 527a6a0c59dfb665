// Records the examples of the OpenAPI document from a real service: `node scripts/samples/openapi.mjs`. Run it after the
// build if a shape or a call has changed, then `REFSYNC_UPDATE_OPENAPI=1 cargo test openapi`.
//
// Addresses of this machine are replaced, and secrets are shortened. Everything else is what the service answered.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PGlite } from "@electric-sql/pglite";

import { gitHttpBackend, guardedFetch, serve } from "../../pkg/dist/node.js";
import { Service } from "../../pkg/dist/service.js";
import { workTree } from "../../tests/support/git/git.mjs";
import { listen } from "../../tests/support/network/listen.mjs";
import { main, root } from "../command.mjs";

/** @typedef {import("../../tests/support/json.mjs").Json} Json */

await main(async () => {
  const folder = await mkdtemp(join(tmpdir(), "refsync-examples-"));
  const tree = await workTree();
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  const database = new PGlite();
  const service = new Service({
    database,
    git: gitHttpBackend({ root: folder }),
    fetch,
    secretKey: new Uint8Array(32).fill(7),
    publicUrl: "https://sync.example.com",
    log: () => {},
  });
  /** @type {Record<string, Json>} */
  const events = {};
  const receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const event = JSON.parse(Buffer.concat(chunks).toString());
    // The last one of each type: a failed sync comes last.
    events[event.type] = event;
    response.writeHead(204).end();
  });
  const hooks = `http://127.0.0.1:${await listen(receiver)}`;
  await service.migrate();
  await service.ensureOrganization("acme", "Acme");
  const key = await service.createApiKey("acme", "admin", "laptop");
  const listener = await serve({ service });
  try {
    const recorded = await record({ service, database, tree, key, url: listener.url, hooks });
    const text = JSON.stringify({ ...recorded, events }, null, 2)
      .replaceAll(`${listener.url}/acme/source.git`, "https://github.com/acme/app.git")
      .replaceAll(`${hooks}/refsync`, "https://example.com/hooks/refsync")
      .replaceAll(listener.url, "https://sync.example.com")
      // A reader, and a search for leaked secrets, must see that this is no real secret.
      .replaceAll(
        /"(api_key|secret|private_key|token|password)": "((?:mesa_private_key_|[a-z]+_)?[^"]{4})[^"]*"/g,
        '"$1": "$2…"',
      );
    await writeFile(join(root, "tests/service/router/openapi/examples.json"), `${text}\n`);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
    await listener.close(0);
    await fetch.close();
    await database.close();
    await tree.remove();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

/**
 * Makes every call once. Returns the requests and the answers by operation, and one refusal for each status.
 *
 * @param {{ service: Service, database: PGlite, tree: import("../../tests/support/git/git.mjs").WorkTree, key: string, url: string, hooks: string }} context
 */
async function record({ service, database, tree, key, url, hooks }) {
  /** @type {Record<string, Json>} */
  const requests = {};
  /** @type {Record<string, Json>} */
  const answers = {};
  /** @type {Record<string, Json>} */
  const errors = {};
  /**
   * @param {string} method
   * @param {string} path
   * @param {{ body?: Json, credential?: string | null, accept?: string }} [how]
   * @returns {Promise<Json>}
   */
  async function call(method, path, { body, credential = key, accept = "application/json" } = {}) {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: { accept, ...(credential && { authorization: `Bearer ${credential}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) errors[response.status] ??= answer;
    return answer;
  }
  /**
   * @param {string} operation
   * @param {string} method
   * @param {string} path
   * @param {Json} [body]
   */
  async function shown(operation, method, path, body) {
    if (body !== undefined) requests[operation] = body;
    answers[operation] = await call(method, path, { body });
    if (answers[operation].error?.code) throw new Error(`${operation}: ${JSON.stringify(answers[operation])}`);
    return answers[operation];
  }

  await call("POST", "/acme/repos", { body: { name: "source" } });
  await tree.commit("first");
  await tree.git("branch", "release");
  await tree.git("tag", "v1.0");
  const source = `${url}/acme/source.git`;
  const push = (/** @type {string[]} */ ...refs) =>
    tree.git("push", "--quiet", "--force", source.replace("//", `//x:${key}@`), ...refs);
  await push("main", "release", "v1.0");

  const events = ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed"];
  const target = await shown("createWebhookTarget", "POST", "/acme/webhook-targets", {
    url: `${hooks}/refsync`,
    name: "deployments",
    events: [
      ...events,
      ...["repo.created", "repo.updated", "repo.deleted", "push"],
      ...["held", "diverged", "stale", "recovered", "paused"].map((name) => `upstream.${name}`),
    ],
  });
  const repo = await shown("createRepo", "POST", "/acme/repos", {
    name: "app",
    tags: { team: "web" },
    upstream: {
      url: source,
      auth: { kind: "token", token: key },
      schedule: { every: "15m" },
      policy: { exclude: ["refs/heads/wip/*"] },
      max_age: "15m",
    },
  });
  await call("POST", "/acme/app/upstream/syncs", { body: { direction: "pull" } });
  await service.tick();
  // The upstream moves on: a commit on main, a rewritten release, a new tag.
  await tree.commit("second");
  await tree.git("tag", "v1.1");
  await tree.git("checkout", "--quiet", "--orphan", "release-2");
  await tree.commit("rewritten");
  await tree.git("branch", "--force", "release", "release-2");
  await push("main", "release", "v1.0", "v1.1");
  const request = { direction: "pull", ref_globs: { branches: "*", tags: "v*" } };
  // No tag matches, so the stats have a message.
  const narrow = { direction: "pull", ref_globs: { branches: "main", tags: "nightly-*" } };
  await shown("planSync", "POST", "/acme/app/upstream/plan", narrow);
  const run = await shown("createSync", "POST", "/acme/app/upstream/syncs", request);
  await service.tick();
  const path = `/acme/app/upstream/syncs/${run.id}`;
  answers.followSync = await shown("showSync", "GET", path);
  const sha = await tree.git("rev-parse", "main");
  await shown("ensureCommit", "POST", "/acme/app/upstream/ensure", {
    ref: "refs/heads/main",
    sha,
    timeout_seconds: 60,
  });
  await shown("createUpstreamHook", "POST", "/acme/app/upstream/hook");
  await shown("listSyncs", "GET", "/acme/app/upstream/syncs?limit=1");
  await shown("showRepo", "GET", "/acme/app");
  await shown("showFreshness", "GET", "/acme/app/upstream/freshness");
  // An hour passes, and then the mirror may be older.
  await database.query(
    `UPDATE refsync.repos SET upstream_verified_steady = upstream_verified_steady - interval '1 h', upstream_check_at = now(),
       upstream_watched_from = upstream_watched_from - interval '1 h', upstream_verified_at = upstream_verified_at - interval '1 h'
     WHERE name = 'app'`,
  );
  const looks = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    while (await service.deliver());
  };
  await looks();
  await call("PATCH", "/acme/app", { body: { upstream: { url: source, max_age: "1d" } } });
  await looks();
  while (await service.deliver());

  // From now on the rewritten release waits for an approval.
  const policy = { on_diverged: "hold", prune_max: 5, keep_backups: "90d" };
  await call("PATCH", "/acme/app", { body: { upstream: { url: source, policy } } });
  await call("POST", "/acme/app/upstream/syncs", { body: { direction: "pull" } });
  await service.tick();
  const { held } = await shown("listHeldRefs", "GET", "/acme/app/upstream/held");
  const refs = held.map((/** @type {Json} */ { name, from, to }) => ({ name, from, to }));
  await shown("approveHeldRefs", "POST", "/acme/app/upstream/approve", { refs });
  await call("POST", "/acme/app/upstream/syncs", { body: { direction: "pull" } });
  await service.tick();
  const { backups } = await shown("listBackups", "GET", "/acme/app/upstream/backups");
  const { ref, oid } = backups[0];
  await shown("restoreRef", "POST", "/acme/app/upstream/restore", { ref, oid });

  await shown("deleteUpstreamHook", "DELETE", "/acme/app/upstream/hook");
  const queued = await call("POST", "/acme/app/upstream/syncs", { body: request });
  await shown("cancelSync", "POST", `/acme/app/upstream/syncs/${queued.id}/cancel`);
  await shown("whoami", "GET", "/whoami");
  await shown("showOrganization", "GET", "/acme");
  await shown("updateRepo", "PATCH", "/acme/app", {
    name: "web-app",
    tags: { team: "platform" },
    upstream: { url: source, schedule: { cron: "0 3 * * *", time_zone: "Europe/Berlin" } },
  });
  // The upstream refuses the credential again and again.
  await call("POST", "/acme/repos", {
    body: {
      name: "paused",
      upstream: { url: source, auth: { kind: "token", token: "expired" }, schedule: { every: "30d" } },
    },
  });
  for (let n = 0; n < 5; n += 1) {
    await call("POST", "/acme/paused/upstream/syncs", { body: { direction: "pull" } });
    await service.tick();
  }
  await call("DELETE", "/acme/paused");
  await shown("listRepos", "GET", "/acme/repos?limit=1");
  await shown("listWebhookTargets", "GET", "/acme/webhook-targets");
  await shown("showWebhookTarget", "GET", `/acme/webhook-targets/${target.id}`);
  await shown("rotateWebhookSecret", "POST", `/acme/webhook-targets/${target.id}/rotate-secret`);
  while (await service.deliver());
  await shown("updateWebhookTarget", "PATCH", `/acme/webhook-targets/${target.id}`, {
    events: ["sync.completed", "sync.failed"],
    repo_ids: [repo.id],
  });
  const made = await shown("createApiKey", "POST", "/acme/api-keys", {
    scope: "write",
    name: "ci",
    repos: ["web-app"],
    expires_in_seconds: 2_592_000,
  });
  await shown("listApiKeys", "GET", "/acme/api-keys?limit=1");
  const publicKey = await shown("createPublicKey", "POST", "/acme/public-keys", {
    scope: "write",
    name: "deployments",
  });
  await shown("listPublicKeys", "GET", "/acme/public-keys");

  const origin = { url: source, auth: { kind: "username_password", username: "mirror", password: key } };
  await shown("createRepo.origin", "POST", "/acme/repos", { name: "mirror", origin });
  await shown("updateRepo.origin", "PATCH", "/acme/mirror", { origin: { url: source, auth: null } });

  await call("POST", "/acme/web-app/upstream/syncs", { body: { direction: "sideways" } });
  await call("GET", "/whoami", { credential: null });
  await call("DELETE", "/acme/web-app", { credential: made.api_key });
  await call("GET", "/acme/no-such-repo");
  await call("GET", "/whoami", { accept: "text/html" });
  await call("POST", "/acme/source/upstream/syncs", { body: { direction: "pull" } });

  await shown("revokeApiKey", "DELETE", `/acme/api-keys/${made.id}`);
  await shown("revokePublicKey", "DELETE", `/acme/public-keys/${publicKey.id}`);
  await call("PATCH", `/acme/webhook-targets/${target.id}`, { body: { events: ["repo.deleted"], repo_ids: null } });
  await shown("deleteRepo", "DELETE", "/acme/web-app");
  while (await service.deliver());
  await shown("deleteWebhookTarget", "DELETE", `/acme/webhook-targets/${target.id}`);
  requests.startSession = { code: await service.createPageCode("acme") };
  answers.startSession = await call("POST", "/sessions", { body: requests.startSession, credential: null });
  return { requests, answers, errors };
}
