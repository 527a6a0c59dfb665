/**
 * `refsync proxy`: the relay of `refsync/proxy` on a port, until a signal ends it.
 *
 * @module
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { createAdaptorServer } from "@hono/node-server";

import { guardedFetch } from "../node/guarded-fetch.js";
import { gitProxy } from "../proxy.js";
import { type ExitCode, exitCode } from "./exit-code.js";
import { nextSignal } from "./serve.js";

/** What the command line said. */
export interface ProxyFlags {
  allowHost: string[];
  allowOrigin: string[];
  port: number;
  host: string;
  json: boolean;
  allowPrivateNetwork: boolean;
}

/** Relays until SIGINT or SIGTERM. Rejects where the port cannot be had. */
export async function proxy(flags: ProxyFlags): Promise<ExitCode> {
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
  const server = createAdaptorServer({ fetch: relay, overrideGlobalObjects: false }) as Server;
  // A push may take longer than the five minutes that Node gives a request; the relay ends those that are silent.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(flags.port, flags.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${flags.host.includes(":") ? `[${flags.host}]` : flags.host}:${port}`;
  process.stdout.write(flags.json ? `${JSON.stringify({ url })}\n` : greeting(url, flags));
  await signal;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  fetch.close();
  return exitCode.completed;
}

function greeting(url: string, { allowHost, allowOrigin }: ProxyFlags): string {
  return `refsync relays Git at ${url}

  to    ${allowHost.join(", ")}
  for   ${allowOrigin.join(", ")}

Ctrl-C stops it.
`;
}
