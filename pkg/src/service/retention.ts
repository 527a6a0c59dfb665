/**
 * Deletes old runs, and the events of the earlier attempts of others, in small steps.
 *
 * A step looks at the next runs in the order of their ids, which sort by time. At the end it begins again after a while. Of each
 * repository and direction, the last run that has ended stays. A run also stays until its webhook deliveries are sent or given up.
 *
 * @module
 */
import type { Database } from "../host.js";

/** How long runs and events are kept after the end of their run, in milliseconds. */
export interface Kept {
  /** Runs. `Infinity` keeps them all. */
  keepRuns: number;
  /** The events of a run's earlier attempts, which those who follow it get. */
  keepEvents: number;
}

/** The clean-up of one process. */
export class Retention {
  readonly #database: Database;
  readonly #kept: Kept;
  /** The last run whose events were looked at. */
  #events = "";
  /** The last run that was looked at. */
  #runs = "";

  constructor(database: Database, kept: Kept) {
    this.#database = database;
    this.#kept = kept;
  }

  /** Does one step. Returns whether there are more runs to look at. */
  async step(): Promise<boolean> {
    const { keepRuns, keepEvents } = this.#kept;
    // A run has ended a day after it was queued, or its events are deleted with it.
    const events = await this.#look(EVENTS, this.#events, keepEvents, DAY);
    // Those before have no events any more.
    if (events !== null) this.#events = events;
    const runs = await this.#look(RUNS, this.#runs, keepRuns, 0);
    this.#runs = runs ?? "";
    return events !== null || runs !== null;
  }

  /** Looks at some runs after `after`. Returns the last one; null if there is none. */
  async #look(statement: string, after: string, keep: number, margin: number): Promise<string | null> {
    if (keep > LONGEST) return null;
    const keys = { after, seconds: Math.floor(keep / 1000), margin: margin / 1000, limit: AT_ONCE };
    const { rows } = await this.#database.query(statement, [JSON.stringify(keys)]);
    const last = rows[0]?.row;
    return typeof last === "string" ? last : null;
  }
}

const DAY = 24 * 60 * 60 * 1000;

/** 50 years. Nothing is as old. */
const LONGEST = 50 * 365 * DAY;

/** The runs of one step. It takes some milliseconds, and an embedded database does nothing else meanwhile. */
const AT_ONCE = 500;

/**
 * The next runs that may be old. Only one process at a time looks. `after`: the id of the last run that was looked at. `seconds`: how
 * long something is kept. `margin`: how many seconds a run may take until its end. An id has the milliseconds since 1970.
 */
const PAGE = `
WITH page AS MATERIALIZED (
  SELECT s.id, s.seq, s.repo_id, s.direction, s.finished_at
  FROM refsync.syncs s
  WHERE s.id > $1::jsonb ->> 'after' AND (SELECT pg_try_advisory_xact_lock(7337963))
    AND s.id < 'sync_' || lpad(to_hex(((extract(epoch FROM now())
      - ($1::jsonb ->> 'seconds')::float8 - ($1::jsonb ->> 'margin')::float8) * 1000)::bigint), 12, '0')
  ORDER BY s.id
  LIMIT ($1::jsonb ->> 'limit')::int
), old AS (
  SELECT page.* FROM page WHERE page.finished_at < now() - make_interval(secs => ($1::jsonb ->> 'seconds')::float8)
)`;

/**
 * Deletes the events of old runs that the runs themselves do not tell. Gives the id of the last run that was looked at, or null.
 */
const EVENTS = `${PAGE}, deleted AS (
  DELETE FROM refsync.sync_events e USING old WHERE e.sync_id = old.id
), cleared AS (
  UPDATE refsync.syncs s SET history = NULL FROM old WHERE s.id = old.id AND s.history IS NOT NULL
)
SELECT max(page.id) AS row FROM page`;

/** Deletes old runs. Gives the id of the last run that was looked at, or null. */
const RUNS = `${PAGE}, deleted AS (
  DELETE FROM refsync.syncs s
  USING old
  WHERE s.id = old.id
    AND EXISTS (
      SELECT FROM refsync.syncs newer
      WHERE newer.repo_id = old.repo_id AND newer.seq > old.seq AND newer.direction = old.direction AND newer.finished_at IS NOT NULL)
    AND NOT EXISTS (
      SELECT FROM refsync.repos r
      JOIN refsync.webhook_targets t ON t.org_id = r.org_id
      JOIN refsync.webhook_deliveries d ON d.target_id = t.id AND d.subject = old.id
      WHERE r.id = old.repo_id)
)
SELECT max(page.id) AS row FROM page`;
