/**
 * What a backup is made of.
 *
 * ```text
 *  backup.json          {format, schema, …}: the manifest; written last, so that a folder without it is no backup
 *  database.jsonl       one {"table":…,"row":…} a line, as of one moment
 *  repositories.jsonl   one line for each repository that the service hosts: how many refs, their hash, what is damaged
 *  repositories/        bare repositories, written by `git clone`, which checks what it copies
 *  secret.key, api-key
 * ```
 *
 * The manifest has the size and the SHA-256 of each file, so that a missing or changed part of a backup is noticed. Format 1, which
 * earlier versions wrote, has neither these nor `repositories.jsonl`.
 *
 * @module
 */

import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** `backup.json`. */
export interface Manifest {
  format: 1 | 2;
  /** The version of the database's schema. */
  schema: number;
  /** RFC 3339 in UTC. */
  created_at: string;
  /** The number of rows of each table. This field and the following ones exist since format 2. */
  rows?: Record<string, number>;
  /** The last value of each counter, by table and column. */
  counters?: Counter[];
  /** How many repositories `repositories.jsonl` names. */
  repositories?: number;
  /** The repositories that could not be read, or only in part. */
  damaged?: DamagedRepository[];
  /** The files beside the repositories. */
  files?: Record<string, FileSum>;
}

/** The counter behind a column. */
export interface Counter {
  table: string;
  column: string;
  value: string;
}

/** The size and hash of a file when it was written. */
export interface FileSum {
  bytes: number;
  sha256: string;
}

/** A repository that could not be backed up, or only in part. */
export interface DamagedRepository {
  id: string;
  /** `<organisation>/<name>`. */
  name: string;
  reason: string;
  /** How many of its refs are still in the backup. */
  refs: number;
}

/** A line of `repositories.jsonl`. */
export interface RepositoryLine {
  id: string;
  name: string;
  /** The branch that its HEAD names. */
  head: string;
  /** How many refs the copy has; null if there is no copy. */
  refs: number | null;
  /** The hash of its refs, as `git for-each-ref` lists them. */
  sha256: string | null;
  /** Why the copy is not whole. */
  damaged?: string;
  /** Whether it was deleted while the backup was made. */
  is_deleted?: true;
}

/** The names of the files of a backup. */
export const FILES = {
  manifest: "backup.json",
  rows: "database.jsonl",
  repositories: "repositories.jsonl",
  folder: "repositories",
} as const;

/** The keys, which are copied as they are. */
export const KEY_FILES = ["secret.key", "api-key"];

/** A backup that is not whole, or not one at all. */
export class NotWholeError extends Error {
  override name = "NotWholeError";
}

/** Rejects if the folder is not a complete backup, or has an unknown format. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, FILES.manifest), "utf8").catch(() => null);
  if (text === null) throw new NotWholeError(`${folder} is not a backup, or one that was not finished`);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch (error) {
    throw new NotWholeError(`${join(folder, FILES.manifest)}: is damaged: ${(error as Error).message}`);
  }
  if (manifest.format !== 1 && manifest.format !== 2) {
    throw new NotWholeError(`${folder} is a backup of a newer refsync; use that version`);
  }
  return manifest;
}

/** Writes the manifest, after everything else is on the disk. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await syncFolder(join(folder, FILES.folder));
  await syncFolder(folder);
  const unfinished = join(folder, `.${FILES.manifest}-${randomUUID()}`);
  const file = await SummedFile.create(unfinished);
  try {
    await file.write(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.close();
    await rename(unfinished, join(folder, FILES.manifest));
  } finally {
    await rm(unfinished, { force: true });
  }
  await syncFolder(folder);
}

/** A new file that computes its size and hash. */
export class SummedFile {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Rejects if the file exists. */
  static async create(path: string): Promise<SummedFile> {
    return new SummedFile(await open(path, "wx", 0o600));
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.writeFile(bytes);
  }

  /** Resolves when the file is on the disk. */
  async close(): Promise<FileSum> {
    await this.#file.sync();
    await this.#file.close();
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}

/** The size and hash of a file now; null if it does not exist. */
export async function sumOf(path: string): Promise<FileSum | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The lines of a file, each with the byte offset at which it begins. A line may be as long as a row. */
export async function* linesOf(
  path: string,
  { from = 0, to }: { from?: number; to?: number } = {},
): AsyncGenerator<{ at: number; line: Buffer }> {
  let at = from;
  let parts: Buffer[] = [];
  const range = { start: from, ...(to !== undefined && { end: to - 1 }) };
  if (to !== undefined && to <= from) return;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024, ...range })) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]);
      yield { at, line };
      at += line.length + 1;
      parts = [];
      rest = rest.subarray(end + 1);
    }
    // A copy, so that a small rest does not keep the whole chunk.
    if (rest.length > 0) parts.push(Buffer.from(rest));
  }
  const line = Buffer.concat(parts);
  if (line.length > 0) yield { at, line };
}

/** The first bytes and the last one of each line of a file, without keeping the line. */
export async function* lineEndsOf(
  path: string,
): AsyncGenerator<{ at: number; head: Buffer; last: number | undefined; length: number }> {
  let [at, length] = [0, 0];
  let head: Buffer = Buffer.alloc(0);
  let last: number | undefined;
  const take = (part: Buffer) => {
    if (head.length < HEAD) head = Buffer.concat([head, part.subarray(0, HEAD - head.length)]);
    length += part.length;
    if (part.length > 0) last = part.at(-1);
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      take(rest.subarray(0, end));
      yield { at, head, last, length };
      at += length + 1;
      [length, head, last] = [0, Buffer.alloc(0), undefined];
      rest = rest.subarray(end + 1);
    }
    take(rest);
  }
  if (length > 0) yield { at, head, last, length };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

const NEWLINE = 0x0a;
/** Bytes. */
const HEAD = 100;
