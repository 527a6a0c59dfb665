/**
 * The folder in which a service on one machine keeps everything: database, repositories, keys.
 *
 * @module
 */

import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Database } from "../../host.js";
import { milliseconds, refuseWrong, wrongIn } from "../../kinds.js";
import { refuseUnknown } from "../../options.js";
import { linkIfFree, namesIn, readIfThere } from "../files.js";
import { removeAll } from "../git/rebuild.js";
import { type AttachOptions, attach, type Place, refuseGaps, verify } from "./belonging.js";
import { kernelLockFile } from "./holder.js";
import { lockFolder } from "./lock.js";
import { type DatabaseKind, readMarker, writeMarker } from "./marker.js";

export type { AttachOptions } from "./belonging.js";

/** How a data folder is opened. */
export interface DataFolderOptions {
  /** Several processes use it at the same time, whose database is elsewhere: one PostgreSQL. Default: false. */
  shared?: boolean;
  /** Milliseconds to wait for a process that uses the folder to end. Default: 0, which rejects at once. */
  wait?: number;
  /** Called with a message that says what this process waits for. Default: nobody is told. */
  onWait?: (message: string) => void;
  /**
   * Called if another process may have the folder by now, because this one was suspended or its file system did not answer. The
   * process must end without writing; closing the database would write. When left out, the error is thrown where nobody catches
   * it, which ends the process.
   */
  onLost?: (error: Error) => void;
  /** Makes a new `secret.key` even if that of an earlier start is gone. Secrets that the old key encrypted must be set again. Default: false. */
  acceptLostKey?: boolean;
  /**
   * Fills a new folder before anything is read from it. The folder is marked as unfinished until `attach`. Rejects if the folder is
   * in use or not empty.
   */
  fill?: (path: string) => Promise<void>;
}

/** A data folder that this process holds, alone unless it is shared. */
export interface DataFolder {
  /** Where it is. */
  readonly path: string;
  /** PGlite's folder. */
  readonly database: string;
  /** The bare repositories. */
  readonly repositories: string;
  /** 32 bytes that encrypt stored credentials; made at the first start. Whoever loses them loses the credentials. */
  readonly secretKey: Uint8Array;
  /** Keys before that one, which stand behind it in the file until everything is encrypted with it. */
  readonly previousSecretKeys: Uint8Array[];
  /**
   * Checks that the folder still belongs to this process. Call it before each write.
   *
   * @throws if another process may have the folder by now.
   */
  check(): void;
  /**
   * Makes sure that the database and the repositories are this folder's own, migrates the database, and notes in both that they
   * belong together.
   *
   * @throws if something is missing, before anything is changed.
   */
  attach(database: Database, options: AttachOptions): Promise<void>;
  /** Makes the same checks as `attach`, but migrates and notes nothing. */
  verify(database: Database): Promise<void>;
  /** Removes everything from a folder that was opened to be filled. */
  clear(): Promise<void>;
  /** What was kept under this name, or null. */
  readKept(name: string): Promise<string | null>;
  /** Keeps a line in a file of this name that only the owner can read. */
  keep(name: string, text: string): Promise<void>;
  /** Lets another process have it. */
  release(): Promise<void>;
}

/**
 * Opens the folder, and makes it if it is missing.
 *
 * @throws if another process has exclusive use of it, or if a part of its earlier content is gone.
 * @example
 * ```ts
 * import { openDataFolder, openEmbedded } from "refsync/node";
 *
 * const folder = await openDataFolder("./refsync-data", { wait: 10_000, onWait: console.error });
 * const database = await openEmbedded(folder.database, { check: folder.check });
 * ```
 */
export async function openDataFolder(folder: string, options: DataFolderOptions = {}): Promise<DataFolder> {
  refuseUnknown("openDataFolder", options, known);
  refuseWrong("openDataFolder", wrongIn(options, { wait: milliseconds }));
  const { shared = false, acceptLostKey = false, wait = 0, onWait, onLost = throwLater, fill } = options;
  const path = resolve(folder);
  const isNew = (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
  const mode = shared ? "shared" : "exclusive";
  const lock = await lockFolder(path, { mode, wait, onLost, ...(onWait && { onWait }) });
  const readKept = (name: string) => readIfThere(join(path, name)).then((text) => text?.trim() ?? null);
  const keep = async (name: string, text: string) => {
    lock.check();
    // Written elsewhere and renamed: a crash leaves the old file or the new one, never half of one.
    const unfinished = join(path, `.${name}-${randomUUID()}`);
    await writeFile(unfinished, `${text}\n`, { mode: 0o600, flush: true });
    await rename(unfinished, join(path, name));
  };
  try {
    const kind: DatabaseKind = shared ? "postgres" : "embedded";
    const place = { path, database: join(path, "database"), repositories: join(path, "repositories"), kind };
    if (fill !== undefined) await filled(place, fill);
    const marker = fill === undefined ? await readMarker(path) : null;
    const isUsed = fill === undefined && (await refuseGaps(place, marker));
    if (isUsed && !acceptLostKey && (await readKept(KEY)) === null && !process.env.REFSYNC_SECRET_KEY) {
      throw new Error(
        `${join(path, KEY)}: is missing. It opens the stored credentials and webhook secrets of this service. Put it back, from a ` +
          "backup for example, or name the key in REFSYNC_SECRET_KEY. If it is lost, start with --accept-lost-key: then credentials " +
          "and webhook secrets have to be set again",
      );
    }
    const [secretKey, ...previousSecretKeys] = await secretKeysOf(path, readKept);
    return {
      path,
      database: place.database,
      repositories: place.repositories,
      secretKey,
      previousSecretKeys,
      check: () => lock.check(),
      attach: (database, how) => attach(place, marker, database, how),
      verify: (database) => verify(place, marker, database),
      clear: async () => {
        for (const name of await contents(path)) await removeAll(join(path, name));
      },
      readKept,
      keep,
      release: async () => {
        await lock.release();
        await leave(path, isNew);
      },
    };
  } catch (error) {
    await lock.release();
    await leave(path, isNew);
    throw error;
  }
}

/** Removes a folder that was made here, if it is still empty. */
async function leave(path: string, isNew: boolean): Promise<void> {
  if (!isNew || (await contents(path)).length > 0) return;
  await rm(kernelLockFile(path), { force: true });
  await rmdir(path).catch(() => {});
}

/** The files in a data folder, except its lock files. */
async function contents(path: string): Promise<string[]> {
  const lock = /^(\.?lock|\.beat-.*|\.lock-.*)$/;
  return (await namesIn(path)).filter((name) => !lock.test(name));
}

/** Fills a new folder, and marks it as unfinished first. */
async function filled({ path, kind }: Place, fill: (path: string) => Promise<void>): Promise<void> {
  const found = await contents(path);
  if (found.length > 0) {
    const isUnfinished = (await readMarker(path).catch(() => null))?.state === "restoring";
    throw new Error(
      isUnfinished
        ? `restore: ${path} holds a restore that did not finish; delete that folder, and restore again`
        : `restore: ${path} is not empty; name another folder`,
    );
  }
  await writeMarker(path, { state: "restoring", database: kind, id: null, repositories: null });
  await fill(path);
}

/** One key a line, the present one first. */
async function secretKeysOf(path: string, readKept: DataFolder["readKept"]): Promise<[Uint8Array, ...Uint8Array[]]> {
  if ((await readKept(KEY)) === null) {
    // Of several processes that start at once, all use the key of the first.
    const unfinished = join(path, `.${KEY}-${randomUUID()}`);
    await writeFile(unfinished, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flush: true });
    await linkIfFree(unfinished, join(path, KEY));
    await rm(unfinished, { force: true });
  }
  const [present = "", ...previous] = ((await readKept(KEY)) ?? "").split("\n");
  const decode = (line: string) => {
    const bytes = Buffer.from(line, "base64");
    if (bytes.length !== 32) throw new Error(`${join(path, KEY)}: has a line that is not 32 bytes in base64`);
    return new Uint8Array(bytes);
  };
  return [decode(present), ...previous.map(decode)];
}

function throwLater(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

const known = {
  shared: true,
  wait: true,
  onWait: true,
  onLost: true,
  acceptLostKey: true,
  fill: true,
} satisfies Record<keyof DataFolderOptions, true>;
const KEY = "secret.key";
