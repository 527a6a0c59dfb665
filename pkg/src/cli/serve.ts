/**
 * `refsync serve`: the service, hosted Git and the page, until a signal ends it.
 *
 * @module
 */

import { type SelfHosted, type SelfHostedOptions, selfHosted } from "./self-hosted.js";
import { copiesOver, nextSignal } from "./signals.js";

/** What the command line said. */
export interface ServeFlags extends SelfHostedOptions {
  json: boolean;
}

/**
 * Serves until SIGINT or SIGTERM. `onReady` is called once the service answers; it prints the address. Rejects if the service
 * cannot start.
 */
export async function serve(
  { json, ...options }: ServeFlags,
  onReady: (hosted: SelfHosted) => Promise<void> = async (hosted) => {
    process.stdout.write(json ? firstLine(hosted) : greeting(hosted));
  },
): Promise<void> {
  // A signal while it starts must not leave the lock behind.
  const signal = nextSignal();
  const hosted = await selfHosted(options);
  await Promise.race([onReady(hosted), signal]);
  await signal;
  await stopAndExit(hosted);
}

/** Stops, and ends the process with code 0. */
export async function stopAndExit(hosted: Pick<SelfHosted, "stop">): Promise<void> {
  await hosted.stop();
  await copiesOver();
  // Whatever a library still waits for is not worth waiting for.
  process.exit(0);
}

function firstLine({ url, org, apiKey }: SelfHosted): string {
  return `${JSON.stringify({ url, org, api_key: apiKey })}\n`;
}

function greeting({ url, org, apiKey }: SelfHosted): string {
  return `refsync serves the organisation ${org}

  page  ${url}/#key=${apiKey}
  API   ${url}/v1
  key   ${apiKey}

Ctrl-C stops it.
`;
}
