// Writes the content of a data folder of this version for the tests of later versions: `node scripts/samples/upgrade.mjs
// FILE`. Run it in a checkout of the version, after the build. Never replace an existing fixture.
//
// The rows come from the service itself on a PostgreSQL: keys, a synced repository with a credential, runs of each status,
// a webhook target, and waiting deliveries. The `-- ` lines at the top have the values that a test needs.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend, guardedFetch, serve } from "../../pkg/dist/node.js";
import { Service } from "../../pkg/dist/service.js";
import { listen } from "../../tests/support/network/listen.mjs";
import { openPool } from "../../tests/support/service/pool.mjs";
import { postgres as startPostgres } from "../../tests/support/service/postgres.mjs";
import { main, StepError } from "../command.mjs";

await main(async () => {
  const [file] = process.argv.slice(2);
  if (!file) throw new StepError("usage: node scripts/samples/upgrade.mjs FILE");
  const postgres = await startPostgres();
  try {
    const { facts, statements } = await rows(postgres);
    await writeFile(file, `-- ${JSON.stringify(facts)}\n${statements}`, { flag: "wx" });
  } finally {
    await postgres.stop();
  }
});

/** @param {import("../../tests/support/service/postgres.mjs").Postgres} postgres */
async function rows(postgres) {
  const database = openPool(postgres.url);
  const folder = await mkdtemp(join(tmpdir(), "refsync-fixture-"));
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  const secretKey = new Uint8Array(32).fill(7);
  const git = gitHttpBackend({ root: folder });
  const service = new Service({ database, git, fetch, secretKey, log: () => {} });
  await service.migrate();
  await service.ensureOrganization("default");
  const apiKey = await service.createApiKey("default", "admin", "refsync serve");
  const privateKey = await service.createPrivateKey("default", "fixture");
  const listener = await serve({ service });
  // Answers every delivery with 503, so that they wait in the outbox.
  const receiver = createServer((_, response) => response.writeHead(503).end());
  const receiverPort = await listen(receiver);
  try {
    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     */
    const call = async (method, path, body) => {
      const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
      const answer = await globalThis.fetch(`${listener.url}/v1/default${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    const target = await call("POST", "/webhook-targets", {
      url: `http://127.0.0.1:${receiverPort}/hook`,
      events: ["sync.queued", "sync.completed", "sync.failed"],
    });
    const source = await call("POST", "/repos", { name: "source" });
    const auth = { kind: "token", token: apiKey };
    const upstream = { url: `${listener.url}/default/source.git`, auth };
    const app = await call("POST", "/repos", { name: "app", tags: { team: "core" }, upstream });
    /**
     * @param {string} name
     * @param {import("refsync").SyncRequest} request
     */
    const sync = (name, request) => call("POST", `/${name}/upstream/syncs`, request);
    const completed = await sync("app", { direction: "pull" });
    await service.tick();
    await call("PATCH", "/app", { upstream: { ...upstream, auth: { kind: "token", token: "wrong" } } });
    const failed = await sync("app", { direction: "pull", ref_globs: { branches: "main" } });
    await service.tick();
    await service.deliver();
    await call("PATCH", "/app", { upstream: { url: "http://127.0.0.1:9/gone.git", auth } });
    const queued = await sync("app", { direction: "push", ref_globs: { tags: "v*" } });
    const runs = { completed: completed.id, failed: failed.id, queued: queued.id };
    const facts = { apiKey, privateKey, webhookSecret: target.secret, repos: { source: source.id, app: app.id }, runs };
    const dumped = await postgres.dump("--schema=refsync", "--inserts", "--no-owner", "--no-privileges");
    // psql's own commands are not SQL.
    const statements = dumped.split("\n").filter((line) => !line.startsWith("\\") && !line.startsWith("--"));
    return { facts, statements: statements.join("\n").replace(/\n{2,}/g, "\n") };
  } finally {
    receiver.close();
    await listener.close(0);
    fetch.close();
    await database.end();
    await rm(folder, { recursive: true, force: true });
  }
}
