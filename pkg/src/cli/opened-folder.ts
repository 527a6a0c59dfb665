/**
 * The data folder, as the commands open it.
 *
 * @module
 */

import { type DataFolder, openDataFolder } from "../node/data-folder.js";
import { exitCode } from "./exit-code.js";
import { printable } from "./printable.js";

/** What the command line says of it. */
export interface FolderFlags {
  /** Whether other processes use it too, whose database is one PostgreSQL. */
  shared: boolean;
  /** Seconds to wait for another process that uses it. */
  wait?: number;
  acceptLostKey?: boolean;
  /** Fills a new folder. */
  fill?: (data: string) => Promise<void>;
}

/** Opens the data folder. Should another process take it, this one ends at once: closing things in order would write. */
export function openedFolder(
  data: string,
  { shared, wait = 0, acceptLostKey = false, fill }: FolderFlags,
): Promise<DataFolder> {
  const say = (message: string) => process.stderr.write(`refsync: ${printable(message)}\n`);
  return openDataFolder(data, {
    shared,
    acceptLostKey,
    wait: wait * 1000,
    ...(fill && { fill }),
    onWait: say,
    onLost: ({ message }) => {
      say(`${message}. This process ends without writing`);
      process.exit(exitCode.failed);
    },
  });
}
