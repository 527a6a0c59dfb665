// A tenth of `npm run bench:hook`.
import assert from "node:assert/strict";
import { test } from "node:test";

import { measureHooks, quantile } from "../../../../benches/hook/hook.mjs";

test("a hook's call moves the ref within a second, and a storm of calls queues one run for each repository", async (t) => {
  const { source, waits, storms } = await measureHooks({ repositories: 20, calls: 500, seconds: 2 });
  t.diagnostic(
    JSON.stringify({ source: quantile(source, 0.5), p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), storms }),
  );
  assert.equal(waits.length, 20);
  assert.ok(quantile(waits, 0.5) < quantile(source, 0.5) + 1000, `${waits}`);
  for (const storm of storms) {
    assert.equal(storm.answered, 500);
    assert.ok(
      storm.mostQueued <= storm.repositories,
      `${storm.mostQueued} runs waited for ${storm.repositories} repositories`,
    );
    // A run starts at the first call, and another one every two seconds.
    assert.ok(storm.mostRuns <= Math.ceil(storm.seconds / 2) + 1, JSON.stringify(storm));
  }
});
