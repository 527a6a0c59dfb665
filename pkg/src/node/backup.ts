/**
 * Backups: everything that a service keeps, in a folder that any later version restores, into either kind of database.
 *
 * ```text
 *  backup.json       {format, schema, created_at}; written last, so that a folder without it is no backup
 *  database.jsonl    one {table, row} a line, as of one moment
 *  repositories/     bare repositories, written by `git clone`, which checks what it copies
 *  secret.key, api-key
 * ```
 *
 * @module
 */

import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Database, GitHost } from "../host.js";
import { git } from "./git-command.js";

/** What is backed up, or restored into. */
export interface Kept {
  database: Database;
  /** The folder with the bare repositories. */
  repositories: string;
}

/** What a backup has. */
export interface BackupSummary {
  rows: number;
  repositories: number;
}

interface Manifest {
  format: 1;
  /** The version of the database's schema. */
  schema: number;
  created_at: string;
}

interface Row {
  table: string;
  row: Record<string, unknown>;
}

/**
 * Writes a backup into a folder that is empty or not there. The database comes first, as of one moment: what is pushed
 * meanwhile may be in it, what is deleted meanwhile may be missing.
 */
export async function backUp({ database, repositories }: Kept, to: string): Promise<BackupSummary> {
  const folder = resolve(to);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw new Error(`backup: ${to} is not empty; name another folder`);
  const schema = await schemaVersion(database);
  const rows = await everyRow(database);
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFile(join(folder, "database.jsonl"), lines, { mode: 0o600 });
  let copied = 0;
  for (const { id, head } of reposOf(rows)) {
    const from = join(repositories, `${id}.git`);
    if (!(await isThere(from))) continue;
    await copyRepository(from, join(folder, "repositories", `${id}.git`), head);
    copied += 1;
  }
  const manifest: Manifest = { format: 1, schema, created_at: new Date().toISOString() };
  await writeFile(join(folder, "backup.json"), `${JSON.stringify(manifest)}\n`, { mode: 0o600 });
  return { rows: rows.length, repositories: copied };
}

/** What restoring needs of a service on the new database. */
export interface Restorable {
  migrateTo(version: number): Promise<void>;
  migrate(): Promise<void>;
}

/**
 * Fills an empty database and an empty folder from a backup. A repository that the backup has no files of is made empty,
 * and filled by its next pull.
 */
export async function restore(
  from: string,
  { database, repositories }: Kept,
  service: Restorable,
  host: Pick<GitHost, "create">,
): Promise<BackupSummary> {
  const { schema } = await manifestOf(from);
  await service.migrateTo(schema);
  if ((await schemaVersion(database)) !== schema) {
    throw new Error(`restore: ${from} has schema ${schema}, which this refsync does not know; use a newer refsync`);
  }
  const [present] = (await database.query("SELECT count(*)::int AS count FROM refsync.organizations")).rows;
  if (present?.count !== 0) throw new Error("restore: the database is in use already; name an empty one");
  const text = await readFile(join(from, "database.jsonl"), "utf8");
  const rows = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
  for (const table of await tables(database)) await fill(database, table, rows);
  for (const { id, head } of reposOf(rows)) {
    const copy = join(from, "repositories", `${id}.git`);
    if (await isThere(copy)) await copyRepository(copy, join(repositories, `${id}.git`), head);
    else await host.create(id, head);
  }
  await service.migrate();
  return { rows: rows.length, repositories: reposOf(rows).length };
}

/** Copies the keys from one folder to the other, those that are there. */
export async function copyKeys(from: string, to: string): Promise<void> {
  for (const name of ["secret.key", "api-key"]) {
    if (await isThere(join(from, name))) await copyFile(join(from, name), join(to, name));
  }
}

/** Rejects where the folder is no whole backup, or of a format that is not known. */
export async function manifestOf(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, "backup.json"), "utf8").catch(() => null);
  if (text === null) throw new Error(`restore: ${folder} is not a backup, or one that was not finished`);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== 1) throw new Error(`restore: ${folder} is a backup of a newer refsync; use that one`);
  return manifest;
}

async function schemaVersion(database: Database): Promise<number> {
  const { rows } = await database.query("SELECT max(version) AS version FROM refsync.schema_migrations");
  return Number(rows[0]?.version);
}

/** Every row but those that say which migrations ran, in one statement and so as of one moment. */
async function everyRow(database: Database): Promise<Row[]> {
  const selects = (await tables(database)).map(
    (table) => `SELECT '${table}' AS "table", to_jsonb(t)::text AS row FROM refsync.${table} t`,
  );
  const { rows } = await database.query(selects.join(" UNION ALL "));
  return rows.map(({ table, row }) => ({ table: String(table), row: JSON.parse(String(row)) }));
}

/** The tables' names, each behind those that it refers to. */
async function tables(database: Database): Promise<string[]> {
  const { rows } = await database.query(
    `SELECT c.relname::text AS name, coalesce(string_agg(f.relname, ','), '') AS refers_to
     FROM pg_class c
     LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid
     LEFT JOIN pg_class f ON f.oid = k.confrelid
     WHERE c.relnamespace = 'refsync'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_migrations'
     GROUP BY c.relname ORDER BY c.relname`,
  );
  const waiting = new Map(rows.map((row) => [String(row.name), String(row.refers_to).split(",").filter(Boolean)]));
  const ordered: string[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, refersTo]) => refersTo.every((name) => !waiting.has(name)));
    if (ready.length === 0) throw new Error("backup: tables that refer to each other have no order");
    for (const [name] of ready) {
      ordered.push(name);
      waiting.delete(name);
    }
  }
  return ordered;
}

async function fill(database: Database, table: string, rows: Row[]): Promise<void> {
  const own = rows.filter((row) => row.table === table).map(({ row }) => row);
  for (let at = 0; at < own.length; at += BATCH) {
    await database.query(
      `INSERT INTO refsync.${table} OVERRIDING SYSTEM VALUE
       SELECT * FROM jsonb_populate_recordset(NULL::refsync.${table}, $1::jsonb)`,
      [JSON.stringify(own.slice(at, at + BATCH))],
    );
  }
  const { rows: counters } = await database.query(
    `SELECT column_name::text AS name FROM information_schema.columns
     WHERE table_schema = 'refsync' AND table_name = $1::text AND is_identity = 'YES'`,
    [table],
  );
  for (const { name } of counters) {
    await database.query(
      `SELECT setval(pg_get_serial_sequence('refsync.${table}', '${name}'), coalesce(max(${name}), 0) + 1, false)
       FROM refsync.${table}`,
    );
  }
}

function reposOf(rows: Row[]): { id: string; head: string }[] {
  const repos = rows.filter(({ table }) => table === "repos");
  return repos.map(({ row }) => ({ id: String(row.id), head: String(row.default_bookmark) }));
}

/** Through Git's own transport, which reads and checks every object, also while the source is pushed to. */
async function copyRepository(from: string, to: string, head: string): Promise<void> {
  const parent = resolve(to, "..");
  await mkdir(parent, { recursive: true });
  await git(parent, ["clone", "--quiet", "--mirror", "--no-local", "--template=", resolve(from), to]);
  // Where it came from is nobody's business, and would be fetched from by name.
  await git(parent, ["--git-dir", to, "config", "--remove-section", "remote.origin"]);
  await git(parent, ["--git-dir", to, "symbolic-ref", "HEAD", `refs/heads/${head}`]);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Rows in one statement. */
const BATCH = 500;
