/**
 * `refsync proxy`: the relay of `refsync/proxy` on a port, until a signal ends it.
 *
 * @module
 */
import { guardedFetch } from "../node/http/guarded-fetch.js";
import { listen } from "../node/http/port.js";
import { gitProxy } from "../proxy.js";
import type { Flags } from "./commands.js";
import { type ExitCode, exitCode } from "./exit-code.js";
import { nextSignal } from "./signals.js";

/** Relays until SIGINT or SIGTERM. Rejects if the port is not available. */
export async function proxy(flags: Flags["proxy"]): Promise<ExitCode> {
  const fetch = guardedFetch({ allowPrivateNetwork: flags.allowPrivateNetwork });
  let relay: ReturnType<typeof gitProxy>;
  try {
    relay = gitProxy({ hosts: flags.allowHost, origins: flags.allowOrigin, fetch });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return exitCode.usage;
  }
  const signal = nextSignal();
  // The relay itself ends silent requests.
  const listener = await listen(relay, flags.host, flags.port);
  process.stdout.write(flags.json ? `${JSON.stringify({ url: listener.url })}\n` : greeting(listener.url, flags));
  await signal;
  await listener.close(0);
  fetch.close();
  return exitCode.completed;
}

function greeting(url: string, { allowHost, allowOrigin }: Flags["proxy"]): string {
  return `refsync relays Git at ${url}

  to    ${allowHost.join(", ")}
  for   ${allowOrigin.join(", ")}

Ctrl-C stops it.
`;
}
