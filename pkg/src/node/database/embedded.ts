/**
 * The embedded database: PGlite in a folder, for one process.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Database } from "../../host.js";
import { refuseUnknown } from "../../options.js";
import { namesIn } from "../files.js";
import { CHANNEL, kind, type NotifyingDatabase } from "./postgres.js";

const run = promisify(execFile);

/** How the embedded database is opened. */
export interface EmbeddedOptions {
  /** Called before each statement. Throws if another process may have the folder by now. Default: nothing is checked. */
  check?: () => void;
  /** Takes 130 MB less memory, for work that reads and writes everything once. Default: false. */
  isSparing?: boolean;
}

/**
 * Opens PGlite in a folder, and makes a database if the folder is empty or not there.
 *
 * @throws if PGlite is not installed, or if the folder has an incomplete database.
 * @example
 * ```ts
 * import { openEmbedded } from "refsync/node";
 *
 * const database = await openEmbedded("./data/database");
 * await database.close();
 * ```
 */
export async function openEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<NotifyingDatabase> {
  refuseUnknown("openEmbedded", options, known);
  const { check = () => {}, isSparing = false } = options;
  const { PGlite } = await import("@electric-sql/pglite").catch((error: unknown) => {
    throw new Error("the embedded database is not installed; run: npm install @electric-sql/pglite", { cause: error });
  });
  if (!(await holdsDatabase(folder))) await create(folder, PGlite);
  // The server's messages, which PGlite's own error does not include.
  const said: string[] = [];
  const keep = (line: string) => {
    said.push(line);
    if (said.length > 100) said.shift();
    return false;
  };
  const defaults = PGlite.defaultStartParams;
  const startParams = isSparing && defaults ? { startParams: [...defaults, "-c", "shared_buffers=8MB"] } : {};
  const database = await PGlite.create(folder, { onStderr: keep, ...startParams }).catch((error: unknown) => {
    throw unopenable(folder, said, error);
  });
  const inTurn = turns();
  const query = (sql: string, params?: unknown[]) =>
    inTurn(() => {
      check();
      return database.query<Record<string, unknown>>(sql, params);
    });
  return {
    query,
    alone: (use) => use({ query }),
    listen: async (onWaiting) => void (await database.listen(CHANNEL, (payload) => onWaiting(kind(payload)))),
    close: async () => {
      // Closing the database writes to the folder.
      check();
      await database.close();
    },
  };
}

/**
 * Runs statements one after another, and lets the event loop run between them. PGlite works in this thread, and would begin its
 * next statement before the event loop gets its turn. Many calls at once would delay all other answers.
 */
function turns(): <T>(statement: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (statement) => {
    const result = last.then(() => new Promise((resolve) => setImmediate(resolve))).then(statement);
    last = result.catch(() => {});
    return result;
  };
}

/**
 * Whether a folder has PGlite's files. Rejects if it has files, but not the one that every database has: PGlite would make a new
 * database over them.
 */
export async function holdsDatabase(folder: string): Promise<boolean> {
  if (existsSync(join(folder, "PG_VERSION"))) return true;
  const names = await namesIn(folder);
  if (names.length === 0) return false;
  throw new Error(
    `${folder}: the embedded database is damaged: its file PG_VERSION is missing. ` +
      `It holds ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}. ${wayBack(folder)}`,
  );
}

/** Makes the database in another folder and then moves it to its place, so an unfinished one is never used. */
async function create(folder: string, PGlite: typeof import("@electric-sql/pglite").PGlite): Promise<void> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const script = fileURLToPath(new URL("./create-database.js", import.meta.url));
  // A bundle does not have this file, and the flag exists only in Node.
  if (existsSync(script) && !process.versions.bun && !process.versions.deno) {
    await run(process.execPath, ["--liftoff-only", script, unfinished]).catch((error: Error & { stderr?: string }) => {
      const why = /^(?:\w*Error|Error): (.*)$/m.exec(error.stderr ?? "")?.[1] ?? error.message;
      throw new Error(`${folder}: the embedded database cannot be made: ${why}`, { cause: error });
    });
  } else {
    await (await PGlite.create(unfinished)).close();
  }
  await rmdir(folder).catch(() => {});
  await rename(unfinished, folder);
}

/** The tables to check, each with a key that has an index. */
const KEYS = { organizations: "id", api_keys: "id", public_keys: "id", repos: "id", webhook_targets: "id" };

/**
 * Rejects if a table has lost rows that its index still has. A truncated file gives no error: it reads as a table with fewer rows.
 */
export async function refuseLostRows(database: Database, folder: string): Promise<void> {
  for (const [table, key] of Object.entries(KEYS)) {
    const { rows } = await database.query(`SELECT to_regclass('refsync.${table}') IS NOT NULL AS is_there`);
    if (rows[0]?.is_there !== true) continue;
    const count = async (ways: string) => {
      // One statement: the settings hold for it alone.
      await database.query(`SELECT set_config(name, value, false) FROM (VALUES ${ways}) setting (name, value)`);
      // The condition makes the index usable.
      const sql = `SELECT count(t.*)::int AS count FROM refsync.${table} t WHERE ${key} >= ''`;
      return Number((await database.query(sql)).rows[0]?.count);
    };
    try {
      const read = await count("('enable_seqscan', 'on'), ('enable_indexscan', 'off'), ('enable_bitmapscan', 'off')");
      const known = await count("('enable_seqscan', 'off'), ('enable_indexscan', 'on'), ('enable_bitmapscan', 'off')");
      if (read !== known) throw new Error(`its index knows ${known} rows, and ${read} are there`);
    } catch (error) {
      const why = (error as Error).message;
      throw new Error(`${folder}: the embedded database is damaged: table ${table}: ${why}. ${wayBack(folder)}`, {
        cause: error,
      });
    } finally {
      await count("('enable_seqscan', 'on'), ('enable_indexscan', 'on'), ('enable_bitmapscan', 'on')").catch(() => {});
    }
  }
}

function unopenable(folder: string, said: string[], cause: unknown): Error {
  const told = (level: RegExp) => said.findLast((line) => level.test(line))?.replace(level, "");
  const why = told(/^.*?(PANIC|FATAL): +/) ?? said.findLast((line) => line.startsWith("postgres: "));
  const detail = told(/^.*?DETAIL: +/);
  const reason = [why ?? (cause as Error).message, detail].filter(Boolean).join(": ");
  const [, theirs, ours] = /initialized by PostgreSQL version (\S+), .* this version (\S+?)\.?$/.exec(reason) ?? [];
  const what =
    theirs === undefined
      ? wayBack(folder)
      : `The installed @electric-sql/pglite is PostgreSQL ${ours}. Install the version of it that wrote this folder, which is ` +
        `PostgreSQL ${theirs}, and run \`refsync backup\`. Then install the new version, and restore the backup into a new folder`;
  return new Error(`${folder}: the embedded database cannot be opened: ${reason}. ${what}`, { cause });
}

/** Advice for an operator whose database is lost. */
export function wayBack(folder: string): string {
  const data = dirname(folder);
  return (
    `Put back a copy of the whole folder ${data}, or restore a backup into a new folder: ` +
    "refsync restore BACKUP --data NEW_FOLDER. Nothing was changed here"
  );
}

const known = { check: true, isSparing: true } satisfies Record<keyof EmbeddedOptions, true>;
