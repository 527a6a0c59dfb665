/**
 * The service's database on Node: a PostgreSQL that many processes share. PGlite is in `embedded.ts`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Database } from "../../host.js";
import { refuseWrong, whole, wrongIn } from "../../kinds.js";
import { refuseUnknown } from "../../options.js";

/** The kind of waiting work: runs to claim, or webhooks to deliver. */
export type Waiting = "sync" | "webhook";

/** A database that notifies a process of new work, from any process. */
export interface NotifyingDatabase extends Database {
  /**
   * Calls `onWaiting` when a statement has queued a run or written a delivery. Calls it without a kind if notifications may have been
   * lost.
   */
  listen(onWaiting: (what?: Waiting) => void): Promise<void>;
  /** Runs statements on a connection that nobody else uses meanwhile, without a time limit for each. */
  alone<T>(use: (connection: Database) => Promise<T>): Promise<T>;
  /** Stops listening and closes the database. */
  close(): Promise<void>;
}

/** Options for a PostgreSQL. */
export interface PostgresOptions {
  /** The most simultaneous connections, besides one that listens. Default: 10. */
  connections?: number;
  /** Called if an idle connection or the listening one is lost. Both are opened again. Default: nobody is told. */
  onError?: (error: unknown) => void;
}

/**
 * A PostgreSQL, by a URL such as `postgres://user@host:5432/refsync`; a password may come from `PGPASSWORD` instead.
 *
 * @throws if `pg` is not installed, or if the database does not answer.
 * @example
 * ```ts
 * import { openPostgres } from "refsync/node";
 *
 * const database = await openPostgres("postgres://refsync@db.example.com:5432/refsync", { connections: 20 });
 * ```
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<NotifyingDatabase> {
  refuseUnknown("openPostgres", options, known);
  refuseWrong("openPostgres", wrongIn(options, { connections: whole(1, 9999) }));
  const { connections = 10, onError = () => {} } = options;
  const where = withoutPassword(url);
  const { default: pg } = await import("pg").catch((error: unknown) => {
    throw new Error("PostgreSQL's driver is not installed; run: npm install pg", { cause: error });
  });
  const connection = {
    connectionString: url,
    application_name: "refsync",
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
  const pool = new pg.Pool({ ...connection, max: connections, connectionTimeoutMillis: 10_000 });
  pool.on("error", onError);
  try {
    await pool.query("SELECT");
  } catch (error) {
    await pool.end();
    throw new Error(`database ${where}: ${(error as Error).message || String((error as { code?: string }).code)}`, {
      cause: error,
    });
  }
  const closing = new AbortController();
  let listening = Promise.resolve();

  /** Listens until the connection is lost. */
  const hear = async (onWaiting: (what?: Waiting) => void): Promise<void> => {
    const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
    const lost = new Promise<void>((resolve) => {
      client.once("error", () => resolve());
      client.once("end", () => resolve());
      closing.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    client.on("error", onError);
    client.on("notification", ({ payload }) => onWaiting(kind(payload)));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      // Notifications may have been lost while nobody listened.
      onWaiting();
      await lost;
    } finally {
      await client.end().catch(() => {});
    }
  };

  return {
    async query(text, values) {
      // Migrations, which have no parameters, run once and may take their time.
      if (!values?.length) return pool.query(text);
      const prepared = { name: statementName(text), text, values, query_timeout: QUERY_TIMEOUT };
      return pool.query<Record<string, unknown>>(prepared);
    },
    async alone(use) {
      const client = await pool.connect();
      let broken: unknown;
      // Without a listener, a lost connection would end the process. The statement under way fails by itself.
      const lost = (error: unknown) => {
        broken = error;
      };
      client.on("error", lost);
      try {
        return await use({ query: (text, values) => client.query<Record<string, unknown>>(text, values) });
      } catch (error) {
        // Closes the connection, so an open transaction or other state ends with it.
        broken = error;
        throw error;
      } finally {
        client.removeListener("error", lost);
        client.release(broken !== undefined);
      }
    },
    async listen(onWaiting) {
      listening = (async () => {
        while (!closing.signal.aborted) {
          await hear(onWaiting).catch(onError);
          await delay(RECONNECT_WAIT * (0.5 + Math.random()), undefined, { signal: closing.signal }).catch(() => {});
        }
      })();
    },
    async close() {
      closing.abort();
      await listening;
      await pool.end();
    },
  };
}

/** The URL in a form that may be shown. Throws if it is not a PostgreSQL URL. */
function withoutPassword(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new Error("database: must be a URL such as postgres://user@host:5432/refsync");
  }
  parsed.password = "";
  // The query may contain a password, too.
  parsed.search = "";
  return parsed.href;
}

const names = new Map<string, string>();

/** A unique name of a statement, even if a connection pooler shares sessions. */
function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `refsync_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}

/** The kind of work that a notification announces. */
export function kind(payload: string | undefined): Waiting | undefined {
  return payload === "sync" || payload === "webhook" ? payload : undefined;
}

const known = { connections: true, onError: true } satisfies Record<keyof PostgresOptions, true>;
/** The channel for LISTEN and NOTIFY. */
export const CHANNEL = "refsync";
/** Milliseconds. Longer than any of our statements takes, and shorter than a lease. */
const QUERY_TIMEOUT = 20_000;
/** Milliseconds. The actual time is random: from half of this to one and a half times this. */
const RECONNECT_WAIT = 1_000;
