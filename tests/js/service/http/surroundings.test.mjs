import assert from "node:assert/strict";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { start } from "../support.mjs";

test("the probes answer without a credential: alive, ready, and not ready when it stops or its database is away", async (t) => {
  const { listen, service, sql } = await start(t);
  const origin = await listen();
  /** @param {string} path */
  const probe = async (path) => {
    const response = await fetch(origin + path);
    return [response.status, (await response.json()).status];
  };
  assert.deepEqual(await probe("/healthz"), [200, "ok"]);
  assert.deepEqual(await probe("/readyz"), [200, "ready"]);
  assert.equal((await fetch(`${origin}/metrics`)).status, 404, "not without being asked for");
  await sql("ALTER TABLE refsync.schema_migrations RENAME TO away");
  assert.equal((await probe("/readyz"))[0], 503);
  assert.deepEqual(await probe("/healthz"), [200, "ok"]);
  await sql("ALTER TABLE refsync.away RENAME TO schema_migrations");
  await service.stop();
  assert.deepEqual(await probe("/readyz"), [503, "stopping"]);
});

test("metrics tell the queue and the outbox in Prometheus's format", async (t) => {
  const { listen, ok, sql } = await start(t, { service: { metrics: true } });
  const origin = await listen();
  await ok("POST", "/acme/webhook-targets", { url: "https://hooks.example.com", events: ["sync.queued"] });
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  for (const tags of ["1", "2", "3"])
    await ok("POST", "/acme/app/upstream/syncs", { direction: "pull", ref_globs: { tags } });
  await sql(
    `UPDATE refsync.syncs SET status = 'in_progress', lease = 'dead', lease_expires_at = now()
     WHERE seq = (SELECT min(seq) FROM refsync.syncs)`,
  );
  await sql("UPDATE refsync.syncs SET run_after = now() - interval '90 s' WHERE status = 'queued'");
  const response = await fetch(`${origin}/metrics`);
  assert.match(present(response.headers.get("content-type")), /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const values = Object.fromEntries(
    text
      .split("\n")
      // Samples with labels are counters of the process.
      .filter((line) => line && !line.startsWith("#") && !line.includes("{"))
      .map((line) => line.split(" ")),
  );
  const { refsync_syncs_oldest_ready_seconds: oldest, ...counts } = values;
  assert.ok(Number(oldest) >= 90 && Number(oldest) < 120, oldest);
  assert.deepEqual(counts, {
    refsync_syncs_queued: "2",
    refsync_syncs_in_progress: "1",
    refsync_syncs_lost: "1",
    refsync_webhook_deliveries_pending: "3",
    refsync_webhook_deliveries_refused: "0",
    refsync_repos: "1",
  });
});

test("pages of allowed origins may call, others may not read the answers", async (t) => {
  const app = "https://app.example.com";
  const { call, service } = await start(t, { service: { allowedOrigins: [app] } });
  /** @param {string} origin */
  const allowed = async (origin) => {
    const [status, , response] = await call("GET", "/whoami", undefined, { headers: { origin } });
    assert.equal(status, 200);
    assert.equal(response.headers.get("vary"), "Origin");
    return response.headers.get("access-control-allow-origin");
  };
  assert.equal(await allowed(app), app);
  assert.equal(await allowed("https://evil.example.com"), null);
  assert.equal(await allowed(`${app}.evil.example.com`), null);
  const [, , refused] = await call("GET", "/whoami", undefined, { key: "wrong", headers: { origin: app } });
  assert.equal(refused.headers.get("access-control-allow-origin"), app, "a page can read why it is refused");

  /** @param {string} origin */
  const preflight = (origin) =>
    service.fetch(
      new Request("http://service.test/v1/acme/repos", {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type",
        },
      }),
    );
  const answer = await preflight(app);
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get("access-control-allow-origin"), app);
  assert.match(present(answer.headers.get("access-control-allow-methods")), /POST.*PATCH.*DELETE/);
  assert.match(present(answer.headers.get("access-control-allow-headers")), /authorization.*content-type/);
  const refusal = await preflight("https://evil.example.com");
  assert.ok(refusal.status >= 400);
  assert.equal(refusal.headers.get("access-control-allow-origin"), null);
});

test("a credential that calls too often is told when to come back, and others are not held up", async (t) => {
  const { call, listen, keys } = await start(t, { service: { rateLimit: { perSecond: 1, burst: 5 } } });
  for (let n = 0; n < 5; n += 1) assert.equal((await call("GET", "/whoami"))[0], 200);
  const [status, body, response] = await call("GET", "/whoami");
  assert.deepEqual([status, body.error.code, response.headers.get("retry-after")], [429, "RATE_LIMITED", "1"]);
  assert.equal((await call("GET", "/whoami", undefined, { key: keys.read }))[0], 200);
  assert.equal((await call("GET", "/whoami", undefined, { key: `${keys.admin.slice(0, -1)}_` }))[0], 401);
  const headers = { authorization: `Basic ${Buffer.from(`x:${keys.admin}`).toString("base64")}` };
  const git = await fetch(`${await listen()}/acme/app.git/info/refs?service=git-upload-pack`, { headers });
  assert.deepEqual([git.status, git.headers.get("retry-after")], [429, "1"]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await call("GET", "/whoami"))[0], 200);
});

test("without allowed origins no answer has a CORS header", async (t) => {
  const { call } = await start(t);
  const [, , response] = await call("GET", "/whoami", undefined, { headers: { origin: "https://app.example.com" } });
  assert.deepEqual(
    [...response.headers.keys()].filter((name) => name.startsWith("access-control") || name === "vary"),
    [],
  );
});
