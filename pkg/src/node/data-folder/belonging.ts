/**
 * Checks that a data folder, its database and its repositories belong together, and that none is missing.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Database } from "../../host.js";
import { holdsDatabase, refuseLostRows, wayBack } from "../database/embedded.js";
import { isThere, namesIn } from "../files.js";
import {
  type DatabaseKind,
  databaseId,
  folderNumber,
  hostedRepositories,
  MARKER,
  type Marker,
  writeMarker,
} from "./marker.js";

/** How to attach a database to a folder. */
export interface AttachOptions {
  /** Brings the database's schema up to date. */
  migrate(): Promise<void>;
  /** Continues even if none of the repositories is there. Each is shown as damaged until it is pulled again. */
  acceptLostRepositories?: boolean;
}

/** Where everything is. */
export interface Place {
  path: string;
  database: string;
  repositories: string;
  kind: DatabaseKind;
}

/** Whether the folder was in use before. Rejects if some of its earlier content is missing. */
export async function refuseGaps(
  { path, database, repositories, kind }: Place,
  marker: Marker | null,
): Promise<boolean> {
  if (marker?.state === "restoring") {
    throw new Error(
      `${path}: a restore into this data folder did not finish. Delete the folder, and restore the backup again`,
    );
  }
  if (marker !== null && marker.database !== kind) {
    throw new Error(
      kind === "embedded"
        ? `${path}: the database of this data folder is a PostgreSQL (${MARKER}); name it with --database or REFSYNC_DATABASE_URL`
        : `${path}: this data folder has an embedded database (${MARKER}), not a PostgreSQL. Leave --database and ` +
            "REFSYNC_DATABASE_URL out, or move the service with `refsync backup` and `refsync restore`",
    );
  }
  if (kind === "postgres") return marker !== null;
  if (await holdsDatabase(database)) return true;
  // Versions that wrote no marker left these files.
  const traces = (await namesIn(repositories)).length > 0 || (await isThere(join(path, "api-key")));
  if (marker === null && !traces) return false;
  throw new Error(
    `${database}: the embedded database is missing, but this data folder has been in use. ${wayBack(database)}. ` +
      "For a new and empty service, name another folder",
  );
}

/** See `DataFolder.verify`. */
export async function verify(
  { path, database: files, repositories, kind }: Place,
  marker: Marker | null,
  database: Database,
  acceptLostRepositories = false,
): Promise<void> {
  if (kind === "embedded") await refuseLostRows(database, files);
  const id = await databaseId(database);
  if (marker !== null && marker.id !== id) {
    const other = id === null ? "has no id" : `is ${id}`;
    throw new Error(
      `${path}: this data folder belongs to the database ${marker.id} (${MARKER}), but the database that was opened ${other}. Name ` +
        `the right folder and the right database. To use them together all the same, delete ${join(path, MARKER)}; what one of ` +
        "them does not know of the other is then lost",
    );
  }
  const { hosted, isNoneThere } = await hostedRepositories(database, repositories);
  // If the folder `repositories` is the same as before, single repositories were lost. They are shown as damaged.
  const isSameFolder = marker?.repositories != null && marker.repositories === (await folderNumber(repositories));
  if (isNoneThere && !isSameFolder && !acceptLostRepositories) {
    throw new Error(
      `${repositories}: the database knows ${hosted} hosted repositories, and none of them is there. Put the folder back (is its ` +
        "volume mounted?), or restore a backup into a new folder: refsync restore BACKUP --data NEW_FOLDER. If they are lost, start " +
        "with --accept-lost-repositories: they are shown as damaged until each is pulled again",
    );
  }
}

/** See `DataFolder.attach`. */
export async function attach(
  place: Place,
  marker: Marker | null,
  database: Database,
  options: AttachOptions,
): Promise<void> {
  const { path, repositories, kind } = place;
  await verify(place, marker, database, options.acceptLostRepositories);
  await options.migrate();
  const id = await databaseId(database);
  if (id === null) throw new Error(`${path}: the database has no id, although its schema is up to date`);
  await mkdir(repositories, { recursive: true });
  const number = await folderNumber(repositories);
  if (marker?.id === id && marker.repositories === number) return;
  await writeMarker(path, { state: "ready", database: kind, id, repositories: number });
}
