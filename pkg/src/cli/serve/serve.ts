/**
 * `refsync serve`: the service, hosted Git and the page, until a signal ends it.
 *
 * @module
 */

import type { Flags } from "../commands.js";
import { copiesOver, nextSignal } from "../signals.js";
import { type SelfHosted, selfHosted } from "./self-hosted.js";

/**
 * Serves until SIGINT or SIGTERM. `onReady` is called once the service answers; it prints the address. Rejects if the service
 * cannot start.
 */
export async function serve(
  flags: Flags["serve"],
  onReady: (hosted: SelfHosted) => Promise<void> = async (hosted) => {
    process.stdout.write(flags.json ? firstLine(hosted) : greeting(hosted, await hosted.pageAddress(), place(flags)));
  },
): Promise<void> {
  // A signal during the start must not leave the lock behind.
  const signal = nextSignal();
  const hosted = await selfHosted(flags);
  await Promise.race([onReady(hosted), signal]);
  await signal;
  await stopAndExit(hosted);
}

/** Stops, and ends the process with code 0. */
export async function stopAndExit(hosted: Pick<SelfHosted, "stop">): Promise<void> {
  await hosted.stop();
  await copiesOver();
  // A library may still have timers. They are not needed any more.
  process.exit(0);
}

function firstLine({ url, org, apiKey }: SelfHosted): string {
  return `${JSON.stringify({ url, org, api_key: apiKey })}\n`;
}

/** Where a command finds the service. A database's URL is not repeated, because it may have a password. */
function place({ data, database }: Flags["serve"]): string {
  return database === undefined ? `--data ${data}` : "--database URL";
}

/** Prints the key only once, when it is created, and only to a terminal, because other output may end up in a log. */
function greeting({ url, org, apiKey, isKeyNew }: SelfHosted, page: string, place: string): string {
  const key =
    isKeyNew && process.stdout.isTTY
      ? `${apiKey}\n        (shown only now)`
      : `is made by: refsync keys create --scope admin --org ${org} ${place}`;
  return `refsync serves the organisation ${org}

  page  ${page}
        (the address works once, for ten minutes)
  API   ${url}/v1
  key   ${key}

Ctrl-C stops it.
`;
}
