/**
 * Restores a backup into an empty database and a new data folder.
 *
 * The repositories come first, then the database. On a PostgreSQL everything, including the schema, is one transaction, so it is
 * there completely or not at all. The data folder is marked as unfinished until the end.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Database, GitHost } from "../../host.js";
import { gitEnd } from "../git/command.js";
import { type CheckedBackup, rowOf, tableOf } from "./check.js";
import { type DamagedRepository, FILES, linesOf } from "./format.js";
import { copyRepository, forEach } from "./repositories.js";
import { schemaVersion, setCounters, TableWriter, tableNames } from "./tables.js";
import type { BackupSummary, Kept } from "./write.js";

/** What restoring needs of a service on the new database. */
export interface Restorable {
  migrateTo(version: number): Promise<void>;
  migrate(): Promise<void>;
}

/** What a backup is restored with. */
export interface RestoreOptions {
  /** Makes a service that uses this connection. */
  serviceOn(connection: Database): Restorable;
  /** Makes repositories that the backup has no files of, because their files are elsewhere or they were deleted meanwhile. */
  host: Pick<GitHost, "create">;
  /** Whether to write the database in one transaction. If not, the database is removed with the data folder after a failure. */
  isTransaction: boolean;
}

/** Fills an empty database and an empty folder. Damaged parts of repositories are left out and reported. */
export async function restore(
  from: string,
  backup: CheckedBackup,
  { database, repositories }: Omit<Kept, "folder">,
  options: RestoreOptions,
): Promise<BackupSummary> {
  const folder = resolve(from);
  const damaged = new Map(backup.damaged.map((repository) => [repository.id, repository]));
  await mkdir(repositories, { recursive: true, mode: 0o700 });
  const there = new Set<string>();
  await forEach(backup.repositories, async (line) => {
    const { id, name } = line;
    if (line.refs === null && backup.manifest.format === 2) return;
    const source = join(folder, FILES.folder, `${id}.git`);
    if (backup.manifest.format === 1 && line.damaged !== undefined) return;
    const copy = await copyRepository(source, join(repositories, `${id}.git`), await headOf(source));
    if (copy.refs !== null) there.add(id);
    if (copy.damaged === undefined) return;
    damaged.set(id, { id, name, reason: `its copy in the backup is damaged: ${copy.damaged}`, refs: copy.refs ?? 0 });
  });
  const deleted = new Set(backup.repositories.filter((line) => line.is_deleted).map(({ id }) => id));
  const rows = await database.alone(async (connection) => {
    if (options.isTransaction) await connection.query("BEGIN");
    await connection.query(`SET ${options.isTransaction ? "LOCAL " : ""}statement_timeout = 0`);
    const filled = await fillDatabase(folder, backup, connection, options);
    await noteDamage(connection, await gaps(connection, there, deleted, damaged));
    for (const { id, head } of await withoutFiles(connection, there, damaged)) await options.host.create(id, head);
    if (options.isTransaction) await commit(connection);
    return filled;
  });
  const told = [...damaged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { rows, repositories: there.size - told.filter(({ id }) => there.has(id)).length, damaged: told };
}

async function fillDatabase(
  from: string,
  { manifest, tables }: CheckedBackup,
  connection: Database,
  { serviceOn, isTransaction }: RestoreOptions,
): Promise<number> {
  if (await isUsed(connection)) {
    throw new Error(
      "restore: the database is in use already; name an empty one, or drop the schema in it: DROP SCHEMA refsync CASCADE",
    );
  }
  const service = serviceOn(connection);
  await service.migrateTo(manifest.schema);
  if ((await schemaVersion(connection)) !== manifest.schema) {
    throw new Error(
      `restore: ${from} has schema ${manifest.schema}, which this refsync does not know; use a newer refsync`,
    );
  }
  const names = await tableNames(connection);
  for (const name of tables.keys()) {
    if (!names.includes(name))
      throw new Error(`restore: ${from} has rows of ${name}, and schema ${manifest.schema} no such table`);
  }
  let rows = 0;
  // Bytes since the last checkpoint.
  let unchecked = 0;
  for (const table of names) {
    const range = tables.get(table);
    if (range !== undefined) {
      const writer = await TableWriter.open(connection, table);
      for await (const { line } of linesOf(join(from, FILES.rows), range)) {
        if (tableOf(line) !== table) continue;
        await writer.write(rowOf(line));
        rows += 1;
        unchecked += line.length;
        // PGlite writes no checkpoint by itself, and its log would grow with everything that is restored.
        if (!isTransaction && unchecked > CHECKPOINT) {
          await connection.query("CHECKPOINT");
          unchecked = 0;
        }
      }
      await writer.close();
    }
    await setCounters(connection, table, manifest.counters ?? []);
  }
  await service.migrate();
  // Nobody knows how much later it is, and the clock may be another one. So only the next sync makes a repository fresh.
  await connection.query(
    `UPDATE refsync.repos SET upstream_verified_steady = NULL, upstream_watched_from = now(),
       upstream_check_at = CASE WHEN upstream_max_age IS NOT NULL THEN now() END
     WHERE upstream_max_age IS NOT NULL OR upstream_verified_steady IS NOT NULL`,
  );
  return rows;
}

async function commit(connection: Database): Promise<void> {
  await connection.query("COMMIT").catch((error: Error) => {
    throw new Error(
      `restore: the database may have everything or nothing: ${error.message}. If it has a schema refsync, drop it: ` +
        "DROP SCHEMA refsync CASCADE",
      { cause: error },
    );
  });
}

async function isUsed(connection: Database): Promise<boolean> {
  if ((await schemaVersion(connection)) === null) return false;
  const { rows } = await connection.query("SELECT count(*)::int AS count FROM refsync.organizations");
  return rows[0]?.count !== 0;
}

/** The damaged repositories, and those whose files are missing from the backup. */
async function gaps(
  connection: Database,
  there: Set<string>,
  deleted: Set<string>,
  damaged: Map<string, DamagedRepository>,
): Promise<Iterable<DamagedRepository>> {
  const { rows } = await connection.query(
    `SELECT r.id, o.slug || '/' || r.name AS name FROM refsync.repos r JOIN refsync.organizations o ON o.id = r.org_id
     WHERE r.origin_url IS NULL`,
  );
  for (const row of rows) {
    const [id, name] = [String(row.id), String(row.name)];
    const known = damaged.get(id);
    if (known !== undefined) known.name = name;
    else if (!there.has(id) && !deleted.has(id)) {
      damaged.set(id, { id, name, reason: "the backup has no files of it", refs: 0 });
    }
  }
  return damaged.values();
}

async function noteDamage(connection: Database, damaged: Iterable<DamagedRepository>): Promise<void> {
  for (const { id, reason } of damaged) {
    const damage = JSON.stringify({
      reason: `it was restored from a backup in which it is not whole: ${reason}`,
      is_plain: false,
    });
    await connection.query("UPDATE refsync.repos SET damage = $2::jsonb WHERE id = $1::text", [id, damage]);
  }
}

/** Repositories that need an empty folder: their commits are elsewhere, or they were deleted while the backup was made. */
async function withoutFiles(
  database: Database,
  there: Set<string>,
  damaged: Map<string, DamagedRepository>,
): Promise<{ id: string; head: string }[]> {
  const { rows } = await database.query("SELECT id, default_bookmark AS head FROM refsync.repos");
  const all = rows.map(({ id, head }) => ({ id: String(id), head: String(head) }));
  return all.filter(({ id }) => !there.has(id) && !damaged.has(id));
}

/** The branch that a copy's HEAD names. */
async function headOf(path: string): Promise<string> {
  let text = "";
  const symbolic = ["--git-dir", path, "symbolic-ref", "--short", "HEAD"];
  await gitEnd(join(path, ".."), symbolic, (chunk) => {
    text += chunk.toString();
  });
  return text.trim() || "main";
}

/** Bytes. */
const CHECKPOINT = 32 * 1024 * 1024;
