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

test("the starts and ends of runs during a look at the outbox are one more look, and rest follows", async () => {
  const fake = service({ runs: 300 });
  const looks = { now: 0, most: 0, all: 0 };
  const deliver = async () => {
    looks.all += 1;
    looks.now += 1;
    looks.most = Math.max(looks.most, looks.now);
    await delay(10);
    looks.now -= 1;
    return false;
  };
  const stop = new AbortController();
  const from = performance.now();
  const worker = work({ ...fake, deliver }, { concurrency: 4, pollInterval: 60_000, signal: stop.signal });
  await eventually(() => fake.seen.done === 300);
  const most = (performance.now() - from) / 10 + 3;
  await eventually(() => looks.now === 0);
  await delay(100);
  assert.equal(looks.most, 1);
  assert.ok(looks.all <= most, `${looks.all} looks for 300 runs, ${most} fit`);
  stop.abort();
  await worker.stopped;
});

test("a lane that delivers lets another one look, and no ring is lost", async () => {
  const outbox = { waiting: 20, sent: 0, atOnce: 0, most: 0 };
  const stop = new AbortController();
  const worker = work(
    {
      tick: async () => false,
      async deliver(onClaimed) {
        await delay(1);
        if (outbox.waiting === 0) return false;
        outbox.waiting -= 1;
        onClaimed?.();
        outbox.atOnce += 1;
        outbox.most = Math.max(outbox.most, outbox.atOnce);
        await delay(50);
        outbox.atOnce -= 1;
        outbox.sent += 1;
        return true;
      },
    },
    { pollInterval: 60_000, signal: stop.signal },
  );
  await eventually(() => outbox.sent === 20);
  assert.ok(outbox.most > 5, `${outbox.most} deliveries at once`);
  for (let n = 1; n <= 20; n += 1) {
    outbox.waiting = 1;
    worker.wake("webhook");
    await eventually(() => outbox.sent === 20 + n, { within: 5_000 });
  }
  stop.abort();
  await worker.stopped;
});
