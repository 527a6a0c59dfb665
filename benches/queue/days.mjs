// Measures the size of the tables over days, with a clean-up.
import { addEnded, instantService } from "./data.mjs";

/** @import { Pool } from "pg" */

const DAY = 24 * 60 * 60 * 1000;
const DAYS = 4;

/**
 * The bytes of the runs' tables after each of some days, if runs are kept for one day. The days are over already: before the end of each
 * one, as many days are added to the time for which runs are kept.
 *
 * @param {Pool} pool
 * @param {number} perDay how many runs end in a day
 */
export async function daysOfRuns(pool, perDay) {
  await pool.query("TRUNCATE refsync.syncs, refsync.run_stats, refsync.sync_events, refsync.turns");
  const sizes = [];
  for (let left = DAYS - 1; left >= 0; left -= 1) {
    await addEnded(pool, { count: perDay, perSecond: perDay / (DAY / 1000), daysAgo: left });
    const service = instantService(pool, { keepRuns: (left + 1) * DAY, keepEvents: (left + 1) * DAY });
    while (await service.cleanUp());
    await pool.query("VACUUM refsync.syncs");
    await pool.query("VACUUM refsync.run_stats");
    const { rows } = await pool.query(
      "SELECT (pg_total_relation_size('refsync.syncs') + pg_total_relation_size('refsync.run_stats'))::float8 AS bytes",
    );
    sizes.push(rows[0].bytes);
  }
  return sizes;
}
