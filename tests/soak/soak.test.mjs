// A few rounds of `npm run soak`. The command itself does two hundred.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { postgres } from "../support/service/postgres.mjs";
import { soak } from "./soak.mjs";

const rounds = Number(process.env.REFSYNC_SOAK_ROUNDS ?? 3);

/**
 * Checks that each run with a 201 has ended, was done by one worker at a time, and was reported. Also checks that a working
 * process was killed.
 *
 * @param {import("node:test").TestContext} t
 * @param {Awaited<ReturnType<typeof soak>>} result
 */
function judge(t, { violations, said, ...counts }) {
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations, [], said);
  assert.ok(counts.syncs > rounds * 30, "syncs were queued");
  assert.ok(counts.attempts >= counts.syncs);
  assert.ok(counts.askers > counts.requests / 2, "the Git server knew which process asked");
}

// Both at the same time, because they mostly wait for the leases of killed processes.
describe("processes that are killed at random", { concurrency: true, timeout: 900_000 }, () => {
  test("a server on PGlite that is started again has lost nothing", async (t) => {
    judge(t, await soak({ rounds }));
  });

  test("servers and workers on one PostgreSQL have lost nothing", async (t) => {
    const { url, stop } = await postgres();
    try {
      judge(t, await soak({ rounds, database: url }));
    } finally {
      await stop();
    }
  });
});
