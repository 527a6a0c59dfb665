// Prometheus's metrics, as a parser of its text format reads them.
import assert from "node:assert/strict";
import { test } from "node:test";

import parse from "parse-prometheus-text-format";

import { mirror } from "../policy/mirror.mjs";
import { receive } from "../receiver.mjs";
import { start } from "../support.mjs";

/** @import { Json } from "../../../support/json.mjs" */

/**
 * The metric families of an answer, by name.
 *
 * @param {Response} response
 * @returns {Promise<Record<string, Json>>}
 */
async function families(response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  /** @type {Json[]} */
  const parsed = parse(text);
  const names = text.match(/^# TYPE (\S+)/gm)?.map((line) => line.slice(7));
  assert.deepEqual(parsed.map(({ name }) => name).sort(), names?.sort(), "the parser knows every family");
  return Object.fromEntries(parsed.map((family) => [family.name, family]));
}

test("counters and histograms of a process tell its requests, runs and deliveries", async (t) => {
  /** @type {Json[]} */
  const records = [];
  const s = await mirror(t, { service: { metrics: true, record: (record) => records.push(record) } });
  const hook = await receive(t);
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events: ["sync.completed"] });
  await s.sync();
  await s.rewrite();
  await s.sync();
  while (await s.service.deliver()) {}
  await s.call("GET", "/acme/nobody");
  await s.call("GET", "/nowhere/at/all/in/the/api");
  const get = () => s.service.fetch(new Request("http://service.test/metrics"));
  await get();
  const found = await families(await get());
  const counter = (/** @type {string} */ name, labels = {}) => {
    assert.equal(found[name].type, "COUNTER", name);
    const wanted = JSON.stringify(Object.entries(labels).sort());
    const one = found[name].metrics.find(
      (/** @type {Json} */ m) => JSON.stringify(Object.entries(m.labels ?? {}).sort()) === wanted,
    );
    return Number(one?.value);
  };
  const requests = records.filter(({ event }) => event === "request");
  const total = found.refsync_http_requests_total.metrics.reduce(
    (/** @type {number} */ sum, /** @type {Json} */ { value }) => sum + Number(value),
    0,
  );
  assert.equal(total, requests.length);
  assert.equal(counter("refsync_http_requests_total", { method: "GET", route: "/{org}/{repo}", status: "404" }), 1);
  assert.equal(counter("refsync_http_requests_total", { method: "GET", route: "other", status: "404" }), 1);
  assert.equal(
    counter("refsync_http_requests_total", { method: "POST", route: "/{org}/{repo}/upstream/syncs", status: "201" }),
    3,
  );
  assert.ok(counter("refsync_http_requests_total", { method: "POST", route: "git", status: "200" }) > 0);
  assert.equal(counter("refsync_syncs_total", { direction: "pull", status: "completed" }), 3);
  assert.equal(counter("refsync_sync_attempts_total", { direction: "pull", status: "completed" }), 3);
  assert.equal(counter("refsync_sync_refs_total", { direction: "pull", outcome: "updated" }), 4);
  assert.equal(counter("refsync_sync_refs_total", { direction: "pull", outcome: "rejected" }), 2);
  assert.ok(counter("refsync_sync_pack_bytes_total") > 100);
  assert.equal(counter("refsync_webhook_deliveries_total", { status: "delivered" }), 2);
  for (const [name, count] of /** @type {[string, number][]} */ ([
    ["refsync_sync_duration_seconds", 3],
    ["refsync_webhook_delivery_duration_seconds", 2],
  ])) {
    const { type, metrics } = found[name];
    // The parser drops the count of a histogram with labels. It is the last bucket, too.
    assert.deepEqual([type, metrics.length], ["HISTOGRAM", 1]);
    const bound = (/** @type {string} */ le) => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le));
    const buckets = Object.entries(metrics[0].buckets).sort(([a], [b]) => bound(a) - bound(b));
    const below = buckets.map(([, value]) => Number(value));
    assert.deepEqual(
      below,
      [...below].sort((a, b) => a - b),
      "buckets are cumulative",
    );
    assert.equal(below.at(-1), count);
  }
  assert.equal(found.refsync_http_request_duration_seconds.type, "HISTOGRAM");
  assert.equal(found.refsync_repos.type, "GAUGE");
});

test("the repositories of an organisation have metrics for its own credentials", async (t) => {
  const s = await mirror(t);
  const { url } = s.app.upstream;
  await s.ok("PATCH", "/acme/app", { upstream: { url, max_age: "15m" } });
  await s.ok("POST", "/acme/repos", { name: "new", upstream: { url } });
  await s.rewrite();
  await s.sync();
  const get = (/** @type {string | null} */ key, org = "acme") =>
    s.service.fetch(
      new Request(`http://service.test/v1/${org}/repos/metrics`, {
        headers: { accept: "text/plain;version=0.0.4", ...(key && { authorization: `Bearer ${key}` }) },
      }),
    );
  assert.equal((await get(null)).status, 401);
  assert.equal((await get(s.keys.admin, "other")).status, 403);
  const limited = await s.ok("POST", "/acme/api-keys", { scope: "read", repos: ["app"] });
  assert.equal((await get(limited.api_key)).status, 403);
  const found = await families(await get(s.keys.read));
  const values = (/** @type {string} */ name) => {
    /** @type {Json[]} */
    const metrics = found[`refsync_upstream_${name}`].metrics;
    assert.equal(found[`refsync_upstream_${name}`].type, "GAUGE");
    for (const { labels } of metrics) assert.deepEqual(Object.keys(labels), ["org", "repo"]);
    return Object.fromEntries(
      metrics.filter(({ value }) => value !== undefined).map(({ labels, value }) => [labels.repo, Number(value)]),
    );
  };
  const { verified_at } = (await s.ok("GET", "/acme/app")).upstream;
  assert.ok(Math.abs(Number(values("verified_timestamp_seconds").app) - Date.parse(verified_at) / 1000) < 0.01);
  assert.deepEqual(values("behind_refs"), { app: 2 });
  assert.deepEqual(values("max_age_seconds"), { app: 900 });
  assert.deepEqual(values("stale"), { app: 0 });
  assert.deepEqual(values("paused"), { app: 0, new: 0 });
  assert.deepEqual(values("last_sync_success"), { app: 1 });
  assert.ok(Number(values("age_seconds").app) < 60);
});

test("a service that counts still prints its own lines if nobody takes them", async (t) => {
  const lines = t.mock.method(console, "error", () => {});
  const s = await start(t, { service: { metrics: true, log: undefined } });
  await s.sql("ALTER TABLE refsync.schema_migrations RENAME TO away");
  assert.equal((await s.service.fetch(new Request("http://service.test/readyz"))).status, 503);
  assert.match(String(lines.mock.calls[0]?.arguments[0]), /^refsync: readyz: /);
});
