/**
 * The data folder, as the commands open it.
 *
 * @module
 */

import { type DataFolder, openDataFolder } from "../node/data-folder/data-folder.js";
import { printable } from "../node/printable.js";
import { exitCode } from "./exit-code.js";

/** The flags about the data folder. */
export interface FolderFlags {
  /** Whether other processes may use the folder too, because they all share one PostgreSQL. */
  shared: boolean;
  /** Seconds to wait for another process that uses it. */
  wait?: number;
  acceptLostKey?: boolean;
  /** Fills a new folder. */
  fill?: (data: string) => Promise<void>;
}

/** Opens the data folder. If another process takes it, this process exits at once, because an orderly shutdown would write. */
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
