/**
 * `refsync serve`: the service, hosted Git and the page, until a signal ends it.
 *
 * @module
 */

import { type SelfHosted, type SelfHostedOptions, selfHosted } from "./self-hosted.js";

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
  await stopOnce(hosted);
}

/** Resolves at the first SIGINT or SIGTERM. */
export function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
}

/** Stops and ends the process with code 0; a second signal ends it at once. */
export async function stopOnce(hosted: Pick<SelfHosted, "stop">): Promise<void> {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(130));
  await hosted.stop();
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
