// The worker's lanes, with a service that counts how often each lane looks for a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { work } from "refsync/node";

import { eventually } from "../../../support/eventually.mjs";

/**
 * A service with runs of one host, which the last lane may not take, and of another one, which it may.
 *
 * @param {{ runs: number, others?: number }} queue
 */
function service(queue) {
  const seen = { done: 0, vain: 0, vainOfLast: 0, lastTook: 0 };
  return {
    seen,
    queue,
    /**
     * @param {(() => void) | undefined} onClaimed
     * @param {boolean | undefined} isLastLane
     */
    async tick(onClaimed, isLastLane) {
      const kind = isLastLane || queue.runs === 0 ? "others" : "runs";
      if (!queue[kind]) {
        seen.vain += 1;
        if (isLastLane) seen.vainOfLast += 1;
        return false;
      }
      queue[kind] -= 1;
      onClaimed?.();
      if (isLastLane) seen.lastTook += 1;
      await delay(2);
      seen.done += 1;
      return true;
    },
  };
}

test("the last lane does not repeat a look that found nothing at each claim of the others", async () => {
  const fake = service({ runs: 200 });
  const stop = new AbortController();
  const worker = work(fake, { concurrency: 4, pollInterval: 60_000, signal: stop.signal });
  await eventually(() => fake.seen.done === 200);
  stop.abort();
  await worker.stopped;
  assert.ok(fake.seen.vainOfLast <= 2, `${fake.seen.vainOfLast} looks in vain for 200 runs`);
});

test("a wake, and the interval, let the last lane look again", async () => {
  for (const wakes of [true, false]) {
    const fake = service({ runs: 100_000, others: 0 });
    const stop = new AbortController();
    const worker = work(fake, { concurrency: 4, pollInterval: wakes ? 60_000 : 100, signal: stop.signal });
    await eventually(() => fake.seen.vainOfLast > 0);
    fake.queue.others = 1;
    if (wakes) worker.wake("sync");
    await eventually(() => fake.seen.lastTook === 1, { within: 5_000 });
    stop.abort();
    await worker.stopped;
  }
});
