/**
 * Brings a database up to date while processes of the older version use it.
 *
 * A migration is one transaction, and keeps its locks until its end. So indexes of large tables are built before it, without a lock that
 * writers need, and many rows are changed before it, in small steps.
 *
 * @module
 */
import type { Database } from "../host.js";

/**
 * Prepares and applies the migrations up to `newest`. `migrateTo` applies them; without a version, all of them.
 *
 * @throws if a migration fails, or if its locks are not free for a minute.
 */
export async function upgrade(
  database: Database,
  migrateTo: (version?: number) => Promise<void>,
  newest?: number,
): Promise<void> {
  const [schema] = await rowsOf(database, "SELECT to_regclass('refsync.schema_migrations') IS NOT NULL AS is_there");
  if (schema?.is_there === true) {
    const applied = await rowsOf(database, "SELECT version FROM refsync.schema_migrations");
    const versions = PREPARED.filter((version) => !applied.some((row) => row.version === version));
    for (const version of versions.filter((version) => version <= (newest ?? version))) {
      await patiently(() => migrateTo(version - 1));
      await prepare(database, version);
      await patiently(() => migrateTo(version));
    }
  }
  await patiently(() => migrateTo(newest));
}

async function prepare(database: Database, version: number): Promise<void> {
  for (;;) {
    const [next] = await rowsOf(database, NEXT, [version]);
    const statement = next?.statement;
    if (typeof statement !== "string") return;
    const [answer] = await patiently(() => rowsOf(database, statement));
    if (answer?.is_more === false) return;
  }
}

/** The rows of a statement. An error has the form of the service's other errors. */
async function rowsOf(database: Database, sql: string, params: unknown[] = []): Promise<Record<string, unknown>[]> {
  try {
    return (await database.query(sql, params)).rows;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    const state = typeof code === "string" ? ` (${code})` : "";
    throw new Error(`database: ${message ?? error}${state}`, { cause: error });
  }
}

/** Tries again if locks on whole tables were not free soon, or if two processes waited for each other. Lets the writers go first. */
async function patiently<T>(step: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await step();
    } catch (error) {
      // The message has PostgreSQL's code.
      const isLocked = LOCKED.some((locked) => String((error as Error).message).includes(`(${locked})`));
      if (!isLocked || tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 + 1000 * Math.random()));
    }
  }
}

/** PostgreSQL's codes for a lock that was not free in time, and for transactions that wait for each other. */
const LOCKED = ["55P03", "40P01"];

/** The migrations that need something before them. */
const PREPARED = [24, 25, 28, 29];

/**
 * The next statement before migration `$1`; no row if there is none. A small table, or one inside a transaction, gets its index from the
 * migration. A transaction that has written already has an id. An index is not whole while a process builds it, or if that
 * process has ended.
 */
const NEXT = `
SELECT CASE
  WHEN needed.name IS NULL THEN 'SELECT refsync.fill_turns() AS is_more'
  WHEN c.oid IS NULL THEN format('CREATE %s CONCURRENTLY IF NOT EXISTS %s ON refsync.%s', needed.kind, needed.name, needed.definition)
  WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index) THEN 'SELECT pg_sleep(1)'
  ELSE format('DROP INDEX CONCURRENTLY IF EXISTS refsync.%s', needed.name) END AS statement
FROM (VALUES
  (24, 'INDEX', 'syncs_queued', 'syncs', 'syncs (repo_id, seq) WHERE status = ''queued'''),
  (25, 'INDEX', 'webhook_deliveries_ready', 'webhook_deliveries',
    'webhook_deliveries (target_id, (bytes >= 1048576), run_after, seq) WHERE is_first'),
  (25, 'INDEX', 'webhook_deliveries_refused', 'webhook_deliveries', 'webhook_deliveries (seq) WHERE attempts > 1'),
  (25, 'INDEX', 'syncs_oldest', 'syncs', 'syncs (run_after) WHERE (status || '''') = ''queued'''),
  (25, 'INDEX', 'repos_tags', 'repos', 'repos USING gin (tags jsonb_path_ops)'),
  (25, NULL, NULL, NULL, NULL),
  (28, 'INDEX', 'syncs_of_stats', 'syncs', 'syncs (stats_id) WHERE stats_id IS NOT NULL'),
  (29, 'UNIQUE INDEX', 'syncs_places', 'syncs', 'syncs (slot) WHERE status = ''in_progress'' AND slot IS NOT NULL'),
  (29, 'UNIQUE INDEX', 'syncs_org_places', 'syncs',
    'syncs (org_slot) WHERE status = ''in_progress'' AND org_slot IS NOT NULL')) needed (version, kind, name, of_table, definition)
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass('refsync.' || needed.name)
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE needed.version = $1::int AND pg_current_xact_id_if_assigned() IS NULL AND CASE
  WHEN needed.name IS NULL THEN to_regproc('refsync.fill_turns') IS NOT NULL
  ELSE i.indisvalid IS NOT TRUE AND pg_relation_size(to_regclass('refsync.' || needed.of_table)) > 16 * 1024 * 1024 END
ORDER BY needed.name NULLS LAST
LIMIT 1`;
