import assert from "node:assert/strict";
import { test } from "node:test";

import { progressLine, words } from "../../../../pkg/dist/cli/sync/progress-line.js";

/** @import { Progress } from "refsync/engine" */

/**
 * @param {Progress["phase"]} phase
 * @param {number} [bytes]
 * @param {number} [objects]
 * @param {number} [bytes_per_second]
 * @returns {Progress}
 */
const report = (phase, bytes = 0, objects, bytes_per_second) => ({
  phase,
  bytes,
  objects: objects ?? null,
  bytes_per_second: bytes_per_second ?? null,
});

test("the words tell the phase, the objects, the bytes and the rate", () => {
  assert.equal(words(report("listing")), "listing");
  assert.equal(words(report("transferring", 500, 14_062)), "transferring, 14,062 objects, 500 B");
  const fast = report("transferring", 6_000_000, 14_062, 3_000_000);
  assert.equal(words(fast), "transferring, 14,062 objects, 6.0 MB, 3.0 MB/s");
  assert.equal(words(report("storing", 6_100_000, 14_062)), "storing, 14,062 objects, 6.1 MB");
});

test("a terminal gets a bar, which is gone at the end; anything else gets nothing of a short sync", async () => {
  for (const isTTY of [true, false]) {
    let written = "";
    const stream = Object.assign(Object.create(process.stderr), {
      isTTY,
      columns: 80,
      /** @param {string} text */
      write: (text) => {
        written += text;
        return true;
      },
    });
    const progress = progressLine(stream);
    progress.show(report("transferring", 1500, 10));
    await import("cli-progress");
    await new Promise((resolve) => setTimeout(resolve, 300));
    progress.clear();
    if (isTTY) assert.match(written, /transferring, 10 objects, 1\.5 kB/);
    else assert.equal(written, "");
  }
});
