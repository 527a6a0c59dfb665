/**
 * `refsync backup`, `refsync restore` and `refsync rotate-key`: what an operator does beside serving.
 *
 * @module
 */

import { randomBytes } from "node:crypto";

import { backUp, copyKeys, manifestOf, restore } from "../node/backup.js";
import type { DataFolder } from "../node/data-folder.js";
import { type NotifyingDatabase, openPostgres } from "../node/database.js";
import { openEmbedded } from "../node/embedded.js";
import { gitHttpBackend } from "../node/git-http-backend.js";
import { guardedFetch } from "../node/guarded-fetch.js";
import { Service } from "../service.js";
import { openedFolder } from "./opened-folder.js";
import { secretKeys } from "./secret-keys.js";

/** Where the service is. */
export interface PlaceFlags {
  data: string;
  database?: string;
}

/** Everything that the commands here work with. */
interface Opened {
  folder: DataFolder;
  database: NotifyingDatabase;
  service: Service;
}

/** Backs up. The embedded database has one process, so that nothing may serve it meanwhile; a PostgreSQL may be in use. */
export async function backupCommand(to: string, place: PlaceFlags): Promise<void> {
  await withService(place, {}, async ({ folder, database }) => {
    await folder.verify(database);
    const { rows, repositories } = await backUp({ database, repositories: folder.repositories }, to);
    await copyKeys(folder.path, to);
    say(`${rows} rows and ${repositories} repositories are in ${to}, and the keys: keep it as safe as them`);
  });
}

/** Restores into a data folder that is empty or not there, and an empty database. */
export async function restoreCommand(from: string, place: PlaceFlags): Promise<void> {
  await manifestOf(from);
  const fill = (data: string) => copyKeys(from, data);
  await withService(place, { fill }, async ({ folder, database, service }) => {
    const host = gitHttpBackend({ root: folder.repositories });
    const kept = { database, repositories: folder.repositories };
    const { rows, repositories } = await restore(from, kept, service, host);
    await folder.attach(database, { migrate: async () => {}, acceptLostRepositories: true });
    say(`${rows} rows and ${repositories} repositories are restored into ${place.data}`);
  });
}

/** Gives the data folder a new secret key, and seals everything with it. */
export async function rotateKeyCommand(place: PlaceFlags): Promise<void> {
  if (process.env.REFSYNC_SECRET_KEY) {
    throw new Error(
      "rotate-key: the key is REFSYNC_SECRET_KEY; put the new one there and the present one into REFSYNC_PREVIOUS_SECRET_KEYS",
    );
  }
  const present = randomBytes(32).toString("base64");
  await withFolder(place, {}, async (folder) => {
    // Both, until everything is sealed with the new one: should this be cut short, the next start goes on with it.
    await folder.keep("secret.key", [present, (await folder.readKept("secret.key")) ?? ""].join("\n"));
  });
  await withService(place, {}, async ({ folder, database, service }) => {
    await folder.attach(database, { migrate: () => service.migrate() });
    await folder.keep("secret.key", present);
  });
  say("everything is sealed with a new secret key");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A new folder is filled first, and cleared away again if what it is opened for fails. */
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

/** Removes what a restore that failed has written. */
async function cleared(folder: DataFolder, error: Error): Promise<void> {
  await folder.clear().catch((trouble: Error) => {
    throw new Error(`${error.message}. Delete ${folder.path}, which is not whole: ${trouble.message}`, {
      cause: error,
    });
  });
}

async function withService<T>(place: PlaceFlags, use: FolderUse, work: (opened: Opened) => Promise<T>): Promise<T> {
  return withFolder(place, use, async (folder) => {
    const { database: url } = place;
    const { check } = folder;
    const database = url === undefined ? await openEmbedded(folder.database, { check }) : await openPostgres(url);
    const fetch = guardedFetch();
    try {
      const git = gitHttpBackend({ root: folder.repositories, check });
      const service = new Service({ database, git, fetch, ...secretKeys(folder) });
      return await work({ folder, database, service });
    } finally {
      fetch.close();
      await database.close();
    }
  });
}
