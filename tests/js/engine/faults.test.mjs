/** A few random faults; `npm run faults` runs many more. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { faults } from "./faults.mjs";

test("whatever breaks off, Git and the stats say the same, nothing is left behind, and the next sync succeeds", async () => {
  const tally = await faults({ rounds: 40 });
  const endings = new Set(Object.values(tally).flatMap((counts) => Object.keys(counts)));
  assert.deepEqual([...endings].sort(), ["done", "failed"], "some faults are survived, others are not");
});
