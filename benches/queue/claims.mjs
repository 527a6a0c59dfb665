// Measures how long a claim takes, and how many claims four claimers make in a second.
import { performance } from "node:perf_hooks";

import { median } from "../measure.mjs";
import { statementRate } from "./pgbench.mjs";
import { claimKeys, run, statement } from "./statements.mjs";

/**
 * @import { Pool } from "pg"
 */

/**
 * The median milliseconds of `count` claims, one after the other.
 *
 * @param {Pool} pool
 * @param {number} count
 */
export async function claimTime(pool, count) {
  const client = await pool.connect();
  try {
    // Until the session has a plan for all calls.
    for (let n = 0; n < 10; n += 1) await run(client, "queue_claim", claimKeys());
    const times = [];
    for (let n = 0; n < count; n += 1) {
      const from = performance.now();
      await run(client, "queue_claim", claimKeys());
      times.push(performance.now() - from);
    }
    return median(times);
  } finally {
    client.release();
  }
}

/**
 * How many claims four claimers make in a second. pgbench runs the statement, so that only the statements differ from `pgbench -N`.
 *
 * @param {string} url
 * @param {number} count how many runs are queued. A part of them is claimed.
 */
export function claimRate(url, count) {
  const keys = JSON.stringify({ ...claimKeys(), lease: "bench" }).replaceAll(/([:,])/g, "$1 ");
  const text = statement("queue_claim")
    .replaceAll(/^--.*$/gm, "")
    .replace("$1::jsonb", `'${keys}'::jsonb`);
  return statementRate(
    url,
    text,
    count === 0 ? { seconds: 2 } : { each: Math.max(1, Math.min(1000, Math.floor(count / 5))) },
  );
}
