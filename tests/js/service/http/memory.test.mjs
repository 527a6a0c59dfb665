// Malformed calls leave nothing behind in the memory of a real process.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { serve } from "../../../support/service/serve.mjs";
import { malformed } from "./malformed-calls.mjs";

const MB = 1024 * 1024;
/** The calls of one pass. */
const CALLS = 300;
/**
 * The first passes fill caches and touch PGlite's buffers for the first time. Two heap snapshots, 1,200 calls apart, had
 * 20.5 and 19.2 MB. So the growth during these passes is not in JavaScript's heap.
 */
const WARM_UP = 10;
/** Compares the smallest size of this many passes with that of the same number before them. */
const PASSES = 3;
/** The most growth. The smallest size of a pass counts, because between two collections the process holds more. */
const GROWTH = 12 * MB;

/** @param {number} pid */
async function residentSize(pid) {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  return Number(present(found)[1]) * 1024;
}

test("thousands of malformed calls do not make the process grow", async (t) => {
  const service = await serve();
  t.after(() => service.stop());
  const { origin, org, apiKey: key, api, pid } = service;
  await api("POST", `/${org}/repos`, { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  const { id: targetId } = await api("POST", `/${org}/webhook-targets`, { url: "http://127.0.0.1:9/" });

  /** Sends every call, eight at a time. Returns the smallest memory size during that time. */
  const pass = async () => {
    const calls = [...malformed(CALLS, { key, targetId, org })].filter(isHttp);
    let least = Number.POSITIVE_INFINITY;
    let refused = 0;
    const lane = async () => {
      for (let call = calls.pop(); call; call = calls.pop()) {
        const { path, method, body, headers, what } = call;
        const answer = await fetch(`${origin}/v1${path}`, {
          method,
          body,
          headers,
          signal: AbortSignal.timeout(60_000),
        });
        await answer.arrayBuffer();
        assert.ok(answer.status < 500 || path.includes("/plan"), `${answer.status} ${what}`);
        refused += answer.status >= 400 ? 1 : 0;
        least = Math.min(least, await residentSize(present(pid)));
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    assert.ok(refused > CALLS / 2, `${refused} of them were refused`);
    return least;
  };
  const sizes = [];
  for (let n = 0; n < WARM_UP + 2 * PASSES; n += 1) sizes.push(await pass());
  t.diagnostic(sizes.map((size) => `${(size / MB).toFixed(0)} MB`).join(", "));
  const before = Math.min(...sizes.slice(WARM_UP, WARM_UP + PASSES));
  const growth = Math.min(...sizes.slice(-PASSES)) - before;
  assert.ok(growth < GROWTH, `it grew by ${(growth / MB).toFixed(1)} MB over ${PASSES * CALLS} calls`);
});

/**
 * Whether `fetch` itself agrees to send the call.
 *
 * @param {import("./malformed-calls.mjs").MalformedCall} call
 */
function isHttp({ path, method, body, headers }) {
  try {
    new Request(`http://127.0.0.1/v1${path}`, { method, body, headers });
    return true;
  } catch {
    return false;
  }
}
