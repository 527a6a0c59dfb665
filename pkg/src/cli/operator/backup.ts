/**
 * `refsync backup`, `refsync restore` and `refsync rotate-key`.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";

import type { Database } from "../../host.js";
import { checkBackup } from "../../node/backup/check.js";
import type { DamagedRepository } from "../../node/backup/format.js";
import { copyKeys } from "../../node/backup/keys.js";
import { restore } from "../../node/backup/restore.js";
import { backUp } from "../../node/backup/write.js";
import type { DataFolder } from "../../node/data-folder/data-folder.js";
import { openEmbedded } from "../../node/database/embedded.js";
import { type NotifyingDatabase, openPostgres } from "../../node/database/postgres.js";
import { gitHttpBackend } from "../../node/git/http-backend.js";
import { guardedFetch } from "../../node/http/guarded-fetch.js";
import { printable } from "../../node/printable.js";
import { Service } from "../../service.js";
import type { Flags } from "../commands.js";
import { type ExitCode, exitCode } from "../exit-code.js";
import { openedFolder } from "../opened-folder.js";
import { secretKeys } from "../secret-keys.js";

/** Where the service is. */
export type PlaceFlags = Flags["backup"];

/** Everything that the commands here work with. */
interface Opened {
  folder: DataFolder;
  database: NotifyingDatabase;
  serviceOn(database: Database): Service;
}

/** Makes a backup. Only one process can use the embedded database, so it must not be served meanwhile. A PostgreSQL may be in use. */
export async function backupCommand(to: string, place: PlaceFlags): Promise<ExitCode> {
  return withService(place, {}, async ({ folder, database }) => {
    await folder.verify(database);
    const kept = { database, folder: folder.path, repositories: folder.repositories };
    const { rows, repositories, damaged } = await backUp(kept, to);
    say(`${rows} rows and ${repositories} repositories are in ${to}, and the keys. Protect it like the keys.`);
    if (process.env.REFSYNC_SECRET_KEY) say("REFSYNC_SECRET_KEY is not in it: keep that key, too");
    return told(damaged, ({ refs }) => (refs > 0 ? `, but for ${refs} refs that are whole` : ""));
  });
}

/** Restores into an empty or missing data folder and an empty database. With `check`, only reads the backup. */
export async function restoreCommand(from: string, { check, ...place }: Flags["restore"]): Promise<ExitCode> {
  const checked = await checkBackup(from, { isThorough: check }).catch((error: Error) => {
    throw new Error(`restore: ${error.message}`, { cause: error });
  });
  if (check) {
    const rows = [...checked.tables.values()].reduce((sum, table) => sum + table.rows, 0);
    const whole = checked.repositories.length - checked.damaged.length;
    const made = checked.manifest.created_at;
    say(`${from} is whole: ${rows} rows and ${whole} repositories, as of ${made}`);
    return told(checked.damaged, () => " in the backup already");
  }
  const fill = (data: string) => copyKeys(from, data);
  return withService(place, { fill }, async ({ folder, database, serviceOn }) => {
    const host = gitHttpBackend({ root: folder.repositories });
    const isTransaction = place.database !== undefined;
    const kept = { database, repositories: folder.repositories };
    const restored = await restore(from, checked, kept, { serviceOn, host, isTransaction });
    const { rows, repositories, damaged } = restored;
    await folder.attach(database, { migrate: async () => {}, acceptLostRepositories: true }).catch((error: Error) => {
      const drop = isTransaction
        ? ". The database is filled already; drop its schema: DROP SCHEMA refsync CASCADE"
        : "";
      throw new Error(`${error.message}${drop}`, { cause: error });
    });
    say(`${rows} rows and ${repositories} repositories are restored into ${place.data}`);
    return told(damaged, ({ refs }) => `, but for ${refs} refs that are whole. A pull mends it`);
  });
}

/** Gives the data folder a new secret key, and encrypts everything with it. */
export async function rotateKeyCommand(place: PlaceFlags): Promise<void> {
  if (process.env.REFSYNC_SECRET_KEY) {
    throw new Error(
      "rotate-key: the secret key is in REFSYNC_SECRET_KEY; set that to a new key, and REFSYNC_PREVIOUS_SECRET_KEYS to the old one",
    );
  }
  const present = randomBytes(32).toString("base64");
  await withFolder(place, {}, async (folder) => {
    // Keeps both keys until everything is encrypted with the new one: if this is interrupted, the next start completes it.
    await folder.keep("secret.key", [present, (await folder.readKept("secret.key")) ?? ""].join("\n"));
  });
  await withService(place, {}, async ({ folder, database, serviceOn }) => {
    await folder.attach(database, { migrate: () => serviceOn(database).migrate() });
    await folder.keep("secret.key", present);
  });
  say("all stored secrets are encrypted with a new secret key");
}

/** Reports damaged repositories on stderr, and returns the exit code for them. */
function told(damaged: DamagedRepository[], but: (repository: DamagedRepository) => string): ExitCode {
  for (const repository of damaged) {
    const { id, name, reason } = repository;
    process.stderr.write(`refsync: damaged: repository ${name} (${id}): ${printable(reason)}${but(repository)}\n`);
  }
  return damaged.length > 0 ? exitCode.damaged : exitCode.completed;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Fills a new folder first, and removes its contents again if the restore fails. */
interface FolderUse {
  fill?: (data: string) => Promise<void>;
}

async function withFolder<T>(
  place: PlaceFlags,
  { fill }: FolderUse,
  use: (folder: DataFolder) => Promise<T>,
): Promise<T> {
  const folder = await openedFolder(place.data, { shared: place.database !== undefined, ...(fill && { fill }) });
  try {
    return await use(folder);
  } catch (error) {
    if (fill !== undefined) await cleared(folder, error as Error);
    throw error;
  } finally {
    await folder.release();
  }
}

/** Removes the files of a failed restore. */
async function cleared(folder: DataFolder, error: Error): Promise<void> {
  await folder.clear().catch((trouble: Error) => {
    throw new Error(`${error.message}. Delete ${folder.path}, which is not whole: ${trouble.message}`, {
      cause: error,
    });
  });
}

async function withService<T>(place: PlaceFlags, use: FolderUse, work: (opened: Opened) => Promise<T>): Promise<T> {
  // Optimised code for PGlite would take 50 MB, and the process runs only for some minutes.
  if (!process.versions.bun && !process.versions.deno) setFlagsFromString("--liftoff-only");
  return withFolder(place, use, async (folder) => {
    const { database: url } = place;
    const { check } = folder;
    const database =
      url === undefined ? await openEmbedded(folder.database, { check, isSparing: true }) : await openPostgres(url);
    const fetch = guardedFetch();
    try {
      const git = gitHttpBackend({ root: folder.repositories, check });
      const serviceOn = (on: Database) => new Service({ database: on, git, fetch, ...secretKeys(folder) });
      return await work({ folder, database, serviceOn });
    } finally {
      fetch.close();
      await database.close();
    }
  });
}
