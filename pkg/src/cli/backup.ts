/**
 * `refsync backup`, `refsync restore` and `refsync rotate-key`: what an operator does beside serving.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { resolve } from "node:path";

import { backUp, copyKeys, manifestOf, restore } from "../node/backup.js";
import { type DataFolder, openDataFolder } from "../node/data-folder.js";
import { type NotifyingDatabase, openPostgres } from "../node/database.js";
import { openEmbedded } from "../node/embedded.js";
import { gitHttpBackend } from "../node/git-http-backend.js";
import { guardedFetch } from "../node/guarded-fetch.js";
import { Service } from "../service.js";
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
  await withService(place, async ({ folder, database }) => {
    const { rows, repositories } = await backUp({ database, repositories: folder.repositories }, to);
    await copyKeys(folder.path, to);
    process.stdout.write(
      `${rows} rows and ${repositories} repositories are in ${to}, and the keys: keep it as safe as them\n`,
    );
  });
}

/** Restores into a data folder that is empty or not there, and an empty database. */
export async function restoreCommand(from: string, place: PlaceFlags): Promise<void> {
  await manifestOf(from);
  const data = resolve(place.data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  if ((await readdir(data)).length > 0) throw new Error(`restore: ${place.data} is not empty; name another folder`);
  await copyKeys(from, data);
  await withService(place, async ({ folder, database, service }) => {
    const host = gitHttpBackend({ root: folder.repositories });
    const kept = { database, repositories: folder.repositories };
    const { rows, repositories } = await restore(from, kept, service, host);
    process.stdout.write(`${rows} rows and ${repositories} repositories are restored into ${place.data}\n`);
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
  await withFolder(place, async (folder) => {
    // Both, until everything is sealed with the new one: should this be cut short, the next start goes on with it.
    await folder.keep("secret.key", [present, (await folder.readKept("secret.key")) ?? ""].join("\n"));
  });
  await withService(place, async ({ folder, service }) => {
    await service.migrate();
    await folder.keep("secret.key", present);
  });
  process.stdout.write("everything is sealed with a new secret key\n");
}

async function withFolder(place: PlaceFlags, use: (folder: DataFolder) => Promise<void>): Promise<void> {
  const folder = await openDataFolder(place.data, { shared: place.database !== undefined });
  try {
    await use(folder);
  } finally {
    await folder.release();
  }
}

async function withService(place: PlaceFlags, use: (opened: Opened) => Promise<void>): Promise<void> {
  await withFolder(place, async (folder) => {
    const { database: url } = place;
    const database = url === undefined ? await openEmbedded(folder.database) : await openPostgres(url);
    const fetch = guardedFetch();
    try {
      const git = gitHttpBackend({ root: folder.repositories });
      await use({ folder, database, service: new Service({ database, git, fetch, ...secretKeys(folder) }) });
    } finally {
      fetch.close();
      await database.close();
    }
  });
}
