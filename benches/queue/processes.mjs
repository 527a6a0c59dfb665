// Measures processes that do runs together.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { makeDue } from "./others.mjs";

/** @import { Pool } from "pg" */

/**
 * Lets four processes work for some seconds. Their runs end at once. All of these schedules are due at the beginning.
 *
 * @param {Pool} pool
 * @param {{ url: string, due: number, seconds: number }} options
 * @returns {Promise<{ rate: number, queued: number, due: number }>} the runs that ended in a second, and the backlog at the end
 */
export async function fourProcesses(pool, { url, due, seconds }) {
  // Its deliveries have no receiver.
  await pool.query("DELETE FROM refsync.webhook_targets");
  await makeDue(pool, due);
  const file = fileURLToPath(new URL("process.mjs", import.meta.url));
  const processes = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [file, url], { stdio: ["ignore", "inherit", "inherit"] }),
  );
  try {
    // Until all of them work.
    await delay(2_000);
    const ended = async () => Number((await pool.query("SELECT count(*) AS n FROM refsync.syncs")).rows[0].n);
    const open = `SELECT (SELECT count(*) FROM refsync.syncs WHERE status IN ('queued', 'in_progress'))::int AS queued,
      (SELECT count(*) FROM refsync.repos WHERE schedule_at <= now())::int AS due`;
    const before = { all: await ended(), ...(await pool.query(open)).rows[0], at: performance.now() };
    await delay(seconds * 1000);
    const after = { all: await ended(), ...(await pool.query(open)).rows[0], at: performance.now() };
    const runs = after.all - after.queued - (before.all - before.queued);
    return { rate: runs / ((after.at - before.at) / 1000), queued: after.queued, due: after.due };
  } finally {
    for (const one of processes) one.kill("SIGTERM");
    await Promise.all(processes.map((one) => (one.exitCode === null ? once(one, "exit") : undefined)));
    await pool.query("UPDATE refsync.repos SET schedule = NULL, schedule_at = NULL WHERE schedule IS NOT NULL");
  }
}
