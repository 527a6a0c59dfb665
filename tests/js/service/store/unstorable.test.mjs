// Values that cannot be stored. Foreign text is made storable. A result that cannot be stored fails its run at once.
import assert from "node:assert/strict";

import { onBoth } from "../databases.mjs";
import { receive } from "../receiver.mjs";
import { start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { ServiceEngine } from "refsync/service"
 * @import { StartOptions } from "../support.mjs"
 */

const old = "0".repeat(40);
const id = "1".repeat(40);

/**
 * An engine whose syncs return the test's result.
 *
 * @param {(report: (progress: string) => void) => Promise<string>} sync
 * @returns {ServiceEngine & { syncs: number }}
 */
function engineThat(sync) {
  return {
    syncs: 0,
    async sync(_task, report) {
      this.syncs += 1;
      return sync(report);
    },
    async findRef() {
      return undefined;
    },
  };
}

/**
 * Does a run with an engine. Returns the run when it has ended or waits for its next attempt.
 *
 * @param {TestContext} t
 * @param {Pick<StartOptions, "postgres">} where
 * @param {ServiceEngine} engine
 */
async function worked(t, where, engine) {
  const started = await start(t, { ...where, service: { engine } });
  const { ok, service } = started;
  const receiver = await receive(t);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events: ["sync.completed", "sync.failed"] });
  await ok("POST", "/acme/repos", { name: "r", upstream: { url: "https://upstream.test/r.git" } });
  const { id: syncId } = await ok("POST", "/acme/r/upstream/syncs", { direction: "pull" });
  assert.equal(await service.tick(), true);
  const run = await ok("GET", `/acme/r/upstream/syncs/${syncId}`);
  return { ...started, run, receiver };
}

/** @param {string} name */
const ref = (name) => ({ name, before: old, after: id, outcome: "updated", reason: null, message: `made ${name}` });

onBoth("a NUL and half a character of a remote are stored as U+FFFD", async (t, where) => {
  const engine = engineThat(async (report) => {
    report(JSON.stringify({ phase: "listing \0 \ud800", bytes: 1 }));
    // Longer than the time between two heartbeats, which store the progress.
    await new Promise((done) => setTimeout(done, 2_500));
    const messages = [{ side: "source", text: "hello\0 \udc00" }];
    return JSON.stringify({ stats: { refs: [ref("refs/heads/a\0b\ud83d")], messages }, head: "refs/heads/a\0b" });
  });
  const { run, lines } = await worked(t, where, engine);
  assert.equal(run.status, "completed", run.error);
  assert.equal(run.stats.refs[0].name, "refs/heads/a\ufffdb\ufffd");
  assert.equal(run.stats.refs[0].message, "made refs/heads/a\ufffdb\ufffd");
  assert.equal(run.stats.messages[0].text, "hello\ufffd \ufffd");
  assert.deepEqual(lines, [], "also the progress was stored");
});

onBoth("a NUL in an error is stored as U+FFFD", async (t, where) => {
  const engine = engineThat(async () => {
    throw Object.assign(new Error("the upstream says: a\0b \ud800"), { code: "remote", retryable: false });
  });
  const { run } = await worked(t, where, engine);
  assert.equal(run.status, "failed");
  assert.match(run.error, /the upstream says: a\ufffdb/);
});

onBoth("stats that are too large fail the run at once, with the reason and what to do", async (t, where) => {
  const name = `refs/heads/${"x".repeat(4_000)}`;
  const refs = Array.from({ length: 8_200 }, () => ref(name));
  const engine = engineThat(async () => JSON.stringify({ stats: { refs }, head: null }));
  const { run, sql, service, receiver } = await worked(t, where, engine);
  assert.equal(run.status, "failed");
  assert.match(
    run.error,
    /^the refs were synced, but their outcomes cannot be stored: .*64000000 bytes.*; narrow ref_globs, so that a run has fewer refs$/,
  );
  assert.equal(run.attempt, 1);
  assert.equal(await service.tick(), false, "no other attempt does all the work again");
  assert.equal(engine.syncs, 1);
  const [{ bytes }] = await sql("SELECT max(octet_length(to_jsonb(s)::text)) AS bytes FROM refsync.syncs s");
  assert.ok(Number(bytes) < 10_000, `${bytes} bytes are stored`);
  while (await service.deliver());
  assert.deepEqual(receiver.types(), ["sync.failed"]);
});

onBoth("stats that the database refuses fail the run at once, with what the database said", async (t, where) => {
  const engine = engineThat(async () => JSON.stringify({ stats: { refs: [ref("refs/heads/a")] }, head: null }));
  const { service, ok, sql } = await start(t, { ...where, service: { engine } });
  await ok("POST", "/acme/repos", { name: "r", upstream: { url: "https://upstream.test/r.git" } });
  const { id: syncId } = await ok("POST", "/acme/r/upstream/syncs", { direction: "pull" });
  // PostgreSQL's message for a jsonb with more than 256 MB.
  await sql(`CREATE FUNCTION refsync.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'total size of jsonb array elements exceeds the maximum of 268435455 bytes' USING ERRCODE = '54000';
  END $$`);
  await sql("CREATE TRIGGER refuse BEFORE INSERT ON refsync.run_stats FOR EACH ROW EXECUTE FUNCTION refsync.refuse()");
  assert.equal(await service.tick(), true);
  const run = await ok("GET", `/acme/r/upstream/syncs/${syncId}`);
  assert.equal(run.status, "failed");
  assert.match(run.error, /their outcomes cannot be stored: .*total size of jsonb array elements exceeds/);
  assert.equal(await service.tick(), false);
  assert.equal(engine.syncs, 1);
});
