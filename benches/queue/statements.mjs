// The service's statements, with the keys that it passes to them.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "../../scripts/command.mjs";

/** @import { Pool, PoolClient } from "pg" */

/** @type {Map<string, string>} */
const texts = new Map();

/**
 * The text of a statement.
 *
 * @param {string} name
 */
export function statement(name) {
  const text = texts.get(name) ?? readFileSync(join(root, "src/service/store/sql", `${name}.sql`), "utf8");
  texts.set(name, text);
  return text;
}

/** The keys of `queue_claim`, for a worker without limits. Each call has another lease. */
export const claimKeys = () => ({
  lease: randomBytes(16).toString("hex"),
  lease_seconds: 30,
  max_runs: null,
  max_runs_of_org: null,
  only_origins: false,
  max_attempts: 10,
  is_last_lane: false,
});

/** The keys of `webhook_claim`. */
export const deliveryKeys = () => ({
  lease: randomBytes(16).toString("hex"),
  lease_seconds: 30,
  at_once: 2,
  at_once_of_org: 8,
  takes_large: true,
});

/**
 * Runs a statement as the service does: prepared, with one JSON object.
 *
 * @param {Pool | PoolClient} database
 * @param {string} name
 * @param {object} [keys]
 */
export async function run(database, name, keys) {
  const text = statement(name);
  if (keys === undefined) return (await database.query(text)).rows;
  return (await database.query({ name, text, values: [JSON.stringify(keys)] })).rows;
}

/**
 * How many buffers a statement reads or writes, as `EXPLAIN (ANALYZE, BUFFERS)` counts them. What it does is undone.
 *
 * @param {Pool} pool
 * @param {string} name
 * @param {object} keys
 */
export async function buffers(pool, name, keys) {
  const client = await pool.connect();
  try {
    // As in a session that has used the statement often.
    await client.query("SET plan_cache_mode = force_generic_plan");
    await client.query(`PREPARE measured (text) AS ${statement(name)}`);
    const execute = `EXECUTE measured ('${JSON.stringify(keys).replaceAll("'", "''")}')`;
    let last = 0;
    // The first time also reads the catalogue.
    for (let n = 0; n < 3; n += 1) {
      await client.query("BEGIN");
      const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${execute}`);
      await client.query("ROLLBACK");
      const [{ Plan: plan }] = rows[0]["QUERY PLAN"];
      last = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
    }
    await client.query("DEALLOCATE measured; RESET plan_cache_mode");
    return last;
  } finally {
    client.release();
  }
}
