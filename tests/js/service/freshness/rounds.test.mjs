/** A few random rounds; `npm run faults:freshness` plays many more. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { movedClock } from "./moved-clock.mjs";
import { rounds } from "./rounds.mjs";

test("whatever happens, no answer is fresh that is false, and a stalled mirror is reported in time, once", async (t) => {
  const seen = await rounds({ rounds: 100, clock: movedClock(t) });
  for (const what of /** @type {const} */ ([
    "fresh",
    "not fresh",
    "stale",
    "recovered",
    "killed",
    "clock back",
    "paused",
  ])) {
    assert.ok((seen[what] ?? 0) > 0, `${what} was never seen: ${JSON.stringify(seen)}`);
  }
});
