// Runs a tenth of `npm run attack`.
import assert from "node:assert/strict";
import { test } from "node:test";

import { attack } from "./attack.mjs";

test("a well-behaved tenant does not notice hostile upstreams, receivers and tenants", async (t) => {
  const { violations, ...outcome } = await attack({ seconds: Number(process.env.REFSYNC_ATTACK_SECONDS ?? 30) });
  t.diagnostic(JSON.stringify(outcome));
  assert.deepEqual(violations, []);
  assert.ok(outcome.runs >= 16, "each hostile upstream was pulled");
  assert.ok(outcome.syncs >= 5, "the well-behaved tenant worked");
});
