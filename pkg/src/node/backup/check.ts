/**
 * Checks that a backup is whole: every file is unchanged, and every row and repository is there. Writes nothing.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import {
  type DamagedRepository,
  FILES,
  type FileSum,
  lineEndsOf,
  linesOf,
  type Manifest,
  NotWholeError,
  type RepositoryLine,
  readManifest,
  sumOf,
} from "./format.js";
import { copyDamage, forEach } from "./repositories.js";

/** Where the rows of a table are in `database.jsonl`, in bytes. */
export interface TableRange {
  from: number;
  to: number;
  rows: number;
}

/** A backup that is whole. */
export interface CheckedBackup {
  manifest: Manifest;
  tables: Map<string, TableRange>;
  repositories: RepositoryLine[];
  /** The repositories that were already damaged when the backup was made, and those whose copy has been damaged since. */
  damaged: DamagedRepository[];
}

/**
 * Reads a backup. Rejects if its rows, its keys or its list of repositories are not whole. With `isThorough`, also reads every
 * object of every repository, and rejects if a copy is damaged or missing. Otherwise such a copy is only listed as damaged.
 */
export async function checkBackup(from: string, { isThorough }: { isThorough: boolean }): Promise<CheckedBackup> {
  const folder = resolve(from);
  const manifest = await readManifest(folder);
  if (manifest.format === 2 && (!manifest.files?.[FILES.rows] || !manifest.files[FILES.repositories])) {
    throw new NotWholeError(
      `${join(folder, FILES.manifest)}: does not name the files of the backup: it is damaged, or of a newer refsync`,
    );
  }
  for (const [name, written] of Object.entries(manifest.files ?? {})) await refuseOther(folder, name, written);
  const tables = await tableRanges(join(folder, FILES.rows));
  for (const [table, rows] of Object.entries(manifest.rows ?? {})) {
    const found = tables.get(table)?.rows ?? 0;
    if (found !== rows)
      throw new NotWholeError(`${join(folder, FILES.rows)}: has ${found} rows of ${table}, not ${rows}`);
  }
  const repositories = manifest.format === 1 ? await listed(folder) : await lines(folder);
  const damaged: DamagedRepository[] = [];
  const broken: string[] = [];
  await forEach(repositories, async (line) => {
    const { id, name, refs, sha256 } = line;
    if (line.damaged !== undefined) damaged.push({ id, name, reason: line.damaged, refs: refs ?? 0 });
    if (line.damaged === undefined && line.is_deleted === undefined && refs === null && manifest.format === 2) {
      throw new NotWholeError(`${join(folder, FILES.repositories)}: ${id} has no copy, and no reason for it`);
    }
    if (refs === null && manifest.format === 2) return;
    const written = refs === null || sha256 === null ? null : { refs, sha256 };
    const reason = await copyDamage(join(folder, FILES.folder, `${id}.git`), written, isThorough);
    if (reason === null) return;
    broken.push(`${name} (${id}): ${reason}`);
    line.refs = null;
    if (line.damaged === undefined) {
      damaged.push({ id, name, reason: `its copy in the backup is damaged: ${reason}`, refs: 0 });
    }
    line.damaged = reason;
  });
  if (isThorough && broken.length > 0) {
    throw new NotWholeError(
      `${folder}: ${broken.length} copies of repositories are damaged: ${broken.sort().join("; ")}`,
    );
  }
  damaged.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { manifest, tables, repositories, damaged };
}

async function refuseOther(folder: string, name: string, written: FileSum): Promise<void> {
  const found = await sumOf(join(folder, name));
  const path = join(folder, name);
  if (found === null) throw new NotWholeError(`${path}: is missing`);
  if (found.bytes !== written.bytes) {
    throw new NotWholeError(`${path}: has ${found.bytes} bytes, not the ${written.bytes} that were written`);
  }
  if (found.sha256 !== written.sha256) throw new NotWholeError(`${path}: was changed since it was written (SHA-256)`);
}

/** Where each table's rows are. One file has the rows of all tables. The rows of one table are mostly next to each other. */
async function tableRanges(path: string): Promise<Map<string, TableRange>> {
  const ranges = new Map<string, TableRange>();
  for await (const { at, head, last, length } of lineEndsOf(path)) {
    const table = tableOf(head);
    if (table === null || last !== CLOSING) {
      throw new NotWholeError(`${path}: the line at byte ${at} is not a row of a backup, or was cut short`);
    }
    const range = ranges.get(table) ?? { from: at, to: at, rows: 0 };
    ranges.set(table, { ...range, to: at + length + 1, rows: range.rows + 1 });
  }
  return ranges;
}

/** The table of the row in a line; null if the line is not a row. */
export function tableOf(line: Buffer): string | null {
  const head = line.subarray(0, 100).toString("latin1");
  return /^\{"table":"([a-z_0-9]+)","row":\{/.exec(head)?.[1] ?? null;
}

/** The row in a line, as JSON text. */
export function rowOf(line: Buffer): Buffer {
  return line.subarray(line.indexOf('"row":') + '"row":'.length, line.length - 1);
}

async function lines(folder: string): Promise<RepositoryLine[]> {
  const found: RepositoryLine[] = [];
  for await (const { line } of linesOf(join(folder, FILES.repositories))) {
    found.push(JSON.parse(line.toString("utf8")) as RepositoryLine);
  }
  return found;
}

/** The repositories of a backup of format 1, which has no list of them. */
async function listed(folder: string): Promise<RepositoryLine[]> {
  const names = await readdir(join(folder, FILES.folder)).catch(() => []);
  const ids = names.filter((name) => name.endsWith(".git")).map((name) => name.slice(0, -".git".length));
  return ids.map((id) => ({ id, name: id, head: "", refs: null, sha256: null }));
}

const CLOSING = "}".charCodeAt(0);
