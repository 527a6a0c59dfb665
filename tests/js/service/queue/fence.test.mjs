// When a worker that cannot renew its lease stops. tests/js/cli/worker/fence.test.mjs disconnects whole processes from the
// database.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { gitHttpBackend, guardedFetch } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { eventually, running, silentServer, start } from "../support.mjs";

test("a lease is counted from before the claim was asked for, and a database that fails at once does not prolong it", {
  timeout: 60_000,
}, async (t) => {
  const { url, held } = await silentServer(t);
  const s = await start(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url } });
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });

  // Only the clock is simulated: the claim's answer takes 20 seconds, and each heartbeat fails after 4.
  const began = performance.now();
  let now = began;
  t.mock.method(performance, "now", () => now);
  const asked = { claims: 0, heartbeats: 0 };
  const database = {
    /**
     * @param {string} text
     * @param {unknown[]} [params]
     */
    async query(text, params) {
      const isClaim = text.includes("FROM refsync.claim(");
      if (asked.claims > 0 && params && params.length > 0) {
        asked.heartbeats += 1;
        now += 4_000;
        throw new Error("refused");
      }
      const answer = await s.database.query(text, params);
      if (isClaim) {
        asked.claims += 1;
        now += 20_000;
      }
      return answer;
    },
  };
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  t.after(() => fetch.close());
  /** @type {string[]} */
  const lines = [];
  const worker = new Service({
    database,
    git: gitHttpBackend({ root: `${s.folder}/repositories` }),
    fetch,
    secretKey: new Uint8Array(32).fill(7),
    log: (line) => lines.push(line),
  });
  const tick = worker.tick();
  await eventually(() => held.length > 0);
  const closed = once(present(held[0]).request.socket, "close");
  assert.equal(await tick, true);
  await closed;
  assert.deepEqual(asked, { claims: 1, heartbeats: 2 });
  const after = now - began;
  assert.ok(after >= 25_000 && after < 30_000, `it stopped ${after} ms after it asked; the lease has 30 s`);
  assert.match(present(lines.at(-1)), /was stopped: the database did not hear of it for too long/);
  assert.equal(
    (await s.ok("GET", `/acme/app/upstream/syncs/${id}`)).status,
    "in_progress",
    "that is the next one's to say",
  );
});

test("a worker whose lease was taken over stops by itself, and leaves the run to the one that has it", async (t) => {
  const { held, id, tick, ...s } = await running(t);
  const closed = once(present(held[0]).request.socket, "close");
  await s.sql("UPDATE refsync.syncs SET lease = 'another', attempt = attempt + 1");
  assert.equal(await tick, true);
  await closed;
  const [{ lease }] = await s.sql("SELECT lease FROM refsync.syncs");
  assert.equal(lease, "another");
  const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.deepEqual([run.status, run.attempt], ["in_progress", 2]);
  assert.match(present(s.lines.at(-1)), /was taken over or deleted while it ran here; stopped/);
});
