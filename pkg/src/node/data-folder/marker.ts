/**
 * What a data folder knows about its database. Because of it, a service never starts empty if a part of the folder is gone.
 *
 * ```text
 *  data-folder.json   {format, state, database, id, …}: which database the folder belongs to
 *  refsync.service    the id in the database itself
 * ```
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Database } from "../../host.js";
import { readIfThere } from "../files.js";

/** Where a service keeps its rows. */
export type DatabaseKind = "embedded" | "postgres";

/** What `data-folder.json` says. */
export interface Marker {
  format: 1;
  /** `restoring` until a restore has put everything in its place. */
  state: "ready" | "restoring";
  database: DatabaseKind;
  /** The database's own id; null while a backup is being restored. */
  id: string | null;
  /** The file system's number for the folder `repositories`. It changes if the folder is replaced. */
  repositories: number | null;
  /** RFC 3339 in UTC. */
  created_at: string;
}

/** The file in the data folder. */
export const MARKER = "data-folder.json";

/** The folder's marker; null if it never had a database, or only one from a version that wrote no marker. */
export async function readMarker(folder: string): Promise<Marker | null> {
  const path = join(folder, MARKER);
  const text = await readIfThere(path);
  if (text === null) return null;
  const marker = parsed(text);
  if (marker === null) {
    throw new Error(
      `${path}: is damaged. It says which database this data folder belongs to. If you are sure that nothing else in the folder is ` +
        "damaged or missing, delete this file and start again",
    );
  }
  if (marker.format !== 1) throw new Error(`${path}: a newer refsync wrote it; use that one`);
  return marker;
}

/** Writes the marker. A crash leaves either the old file or the new one. */
export async function writeMarker(folder: string, marker: Omit<Marker, "format" | "created_at">): Promise<void> {
  const created_at = new Date().toISOString();
  await writeWhole(join(folder, MARKER), `${JSON.stringify({ format: 1, ...marker, created_at } satisfies Marker)}\n`);
}

/** The number that the file system has for a folder; null if the folder is not there. */
export async function folderNumber(path: string): Promise<number | null> {
  return stat(path).then(
    ({ ino }) => ino,
    () => null,
  );
}

/** The database's own id; null if it has none, because it is empty or comes from a version without such ids. */
export async function databaseId(database: Database): Promise<string | null> {
  const { rows } = await database.query("SELECT to_regclass('refsync.service') IS NOT NULL AS has_id");
  if (rows[0]?.has_id !== true) return null;
  const { rows: ids } = await database.query("SELECT id::text AS id FROM refsync.service");
  return ids[0] === undefined ? null : String(ids[0].id);
}

/** How many repositories the service hosts, and whether none of them is there. */
export async function hostedRepositories(
  database: Database,
  repositories: string,
): Promise<{ hosted: number; isNoneThere: boolean }> {
  const isHosted = await whereHosted(database);
  if (isHosted === null) return { hosted: 0, isNoneThere: false };
  const { rows } = await database.query(`SELECT count(*)::int AS count FROM refsync.repos WHERE ${isHosted}`);
  const hosted = Number(rows[0]?.count);
  const there = (await readdir(repositories).catch(() => [])).filter((name) => name.endsWith(".git"));
  const ids = there.map((name) => name.slice(0, -".git".length));
  const { rows: known } = await database.query(
    `SELECT count(*)::int AS count FROM refsync.repos
     WHERE ${isHosted} AND id IN (SELECT jsonb_array_elements_text($1::jsonb))`,
    [JSON.stringify(ids)],
  );
  return { hosted, isNoneThere: hosted > 0 && Number(known[0]?.count) === 0 };
}

/**
 * Which repositories the service hosts, in SQL; null if there is no such table. In early schemas, the service hosts all
 * repositories.
 */
export async function whereHosted(database: Database): Promise<string | null> {
  const { rows } = await database.query(
    `SELECT a.attname::text AS name FROM pg_attribute a
     WHERE a.attrelid = to_regclass('refsync.repos') AND a.attname IN ('id', 'origin_url') AND NOT a.attisdropped`,
  );
  if (rows.length === 0) return null;
  return rows.some(({ name }) => name === "origin_url") ? "origin_url IS NULL" : "true";
}

function parsed(text: string): Marker | null {
  try {
    const marker = JSON.parse(text) as Marker;
    const isKnown = marker.database === "embedded" || marker.database === "postgres";
    const isWhole = typeof marker.format === "number" && (marker.format !== 1 || isKnown);
    return isWhole ? marker : null;
  } catch {
    return null;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}-${randomUUID()}`;
  try {
    await writeFile(unfinished, text, { mode: 0o600, flush: true });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
