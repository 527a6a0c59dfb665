/**
 * Writes a backup: everything that a service keeps, in a folder that this and any later version restores, into either kind of database.
 *
 * @module
 */

import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Database } from "../../host.js";
import { whereHosted } from "../data-folder/marker.js";
import type { NotifyingDatabase } from "../database/postgres.js";
import {
  type Counter,
  type DamagedRepository,
  FILES,
  type FileSum,
  KEY_FILES,
  type RepositoryLine,
  SummedFile,
  sumOf,
  writeManifest,
} from "./format.js";
import { copyKeys } from "./keys.js";
import { type Copied, copyRepository, forEach } from "./repositories.js";
import { counters, rowsOf, schemaVersion, tableNames } from "./tables.js";

/** The database and folders to back up, or to restore into. */
export interface Kept {
  database: NotifyingDatabase;
  /** The data folder. */
  folder: string;
  /** The folder with the bare repositories. */
  repositories: string;
}

/** What a backup has. */
export interface BackupSummary {
  rows: number;
  repositories: number;
  /** The repositories that are not in it, or only in part. */
  damaged: DamagedRepository[];
}

/** A repository that the service hosts. */
interface Hosted {
  id: string;
  name: string;
  head: string;
}

/**
 * Writes a backup into a folder that is empty or not there. The database comes first, as of one moment: later pushes may be in the
 * backup, and repositories that are deleted meanwhile are not.
 */
export async function backUp({ database, folder: from, repositories }: Kept, to: string): Promise<BackupSummary> {
  const folder = resolve(to);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await refuseUsed(folder, to);
  await mkdir(join(folder, FILES.folder), { mode: 0o700 });
  const { schema, hosted, ...dump } = await database.alone((connection) =>
    dumpRows(connection, join(folder, FILES.rows)),
  );

  const damaged: DamagedRepository[] = [];
  const lines = await SummedFile.create(join(folder, FILES.repositories));
  let copied = 0;
  let writing = Promise.resolve();
  const write = (line: RepositoryLine) => {
    writing = writing.then(() => lines.write(`${JSON.stringify(line)}\n`));
    return writing;
  };
  await forEach(hosted, async ({ id, name, head }) => {
    const copy = await copyRepository(join(repositories, `${id}.git`), join(folder, FILES.folder, `${id}.git`), head);
    if (copy.damaged !== undefined && (await wasDeleted(database, id))) {
      return write({ id, name, head, refs: null, sha256: null, is_deleted: true });
    }
    if (copy.damaged !== undefined) {
      damaged.push({ id, name, reason: copy.damaged, refs: copy.refs ?? 0 });
      await note(database, id, copy);
    } else copied += 1;
    return write({ id, name, head, ...copy });
  });
  await writing;

  const files: Record<string, FileSum> = { [FILES.rows]: dump.sum, [FILES.repositories]: await lines.close() };
  await copyKeys(from, folder);
  for (const name of KEY_FILES) {
    const sum = await sumOf(join(folder, name));
    if (sum !== null) files[name] = sum;
  }
  damaged.sort((a, b) => (a.name < b.name ? -1 : 1));
  await writeManifest(folder, {
    format: 2,
    schema,
    created_at: new Date().toISOString(),
    rows: dump.rows,
    counters: dump.counters,
    repositories: hosted.length,
    damaged,
    files,
  });
  const rows = Object.values(dump.rows).reduce((sum, count) => sum + count, 0);
  return { rows, repositories: copied, damaged };
}

async function refuseUsed(folder: string, to: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length === 0) return;
  const isUnfinished = names.includes(FILES.rows) && !names.includes(FILES.manifest);
  throw new Error(
    isUnfinished
      ? `backup: ${to} holds a backup that was not finished; delete that folder, or name another one`
      : `backup: ${to} is not empty; name another folder`,
  );
}

interface Dump {
  schema: number;
  sum: FileSum;
  rows: Record<string, number>;
  counters: Counter[];
  hosted: Hosted[];
}

/** Writes every row but the database's own, as of one moment. */
async function dumpRows(connection: Database, path: string): Promise<Dump> {
  await connection.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await connection.query("SET LOCAL TimeZone = 'UTC'");
  // Makes both cursors of a table start at its first row.
  await connection.query("SET LOCAL synchronize_seqscans = off");
  await connection.query("SET LOCAL statement_timeout = 0");
  await connection.query("SET LOCAL idle_in_transaction_session_timeout = 0");
  const schema = await schemaVersion(connection);
  if (schema === null) throw new Error("backup: the database is empty; start `refsync serve` on it first");
  const file = await SummedFile.create(path);
  const rows: Record<string, number> = {};
  const counted: Counter[] = [];
  for (const table of await tableNames(connection)) {
    rows[table] = 0;
    for await (const row of rowsOf(connection, table)) {
      await file.write(`{"table":"${table}","row":${row}}\n`);
      rows[table] += 1;
    }
    counted.push(...(await counters(connection, table)));
  }
  const hosted = await hostedRepositories(connection);
  await connection.query("COMMIT");
  return { schema, sum: await file.close(), rows, counters: counted, hosted };
}

async function hostedRepositories(connection: Database): Promise<Hosted[]> {
  const { rows } = await connection.query(
    `SELECT r.id, o.slug || '/' || r.name AS name, r.default_bookmark AS head
     FROM refsync.repos r JOIN refsync.organizations o ON o.id = r.org_id
     WHERE ${await whereHosted(connection)} ORDER BY r.seq`,
  );
  return rows.map((row) => ({ id: String(row.id), name: String(row.name), head: String(row.head) }));
}

/** Whether it was deleted since the rows were read. */
async function wasDeleted(database: Database, id: string): Promise<boolean> {
  const { rows } = await database.query("SELECT FROM refsync.repos WHERE id = $1::text", [id]);
  return rows.length === 0;
}

/** Notes the damage in the service, which shows it until a pull has mended it. */
async function note(database: Database, id: string, { damaged }: Copied): Promise<void> {
  const { rows } = await database.query(
    "SELECT FROM information_schema.columns WHERE table_schema = 'refsync' AND table_name = 'repos' AND column_name = 'damage'",
  );
  if (rows.length === 0) return;
  const damage = JSON.stringify({ reason: damaged, is_plain: false });
  await database.query("UPDATE refsync.repos SET damage = $2::jsonb WHERE id = $1::text AND damage IS NULL", [
    id,
    damage,
  ]);
}
