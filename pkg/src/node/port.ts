/**
 * A port that answers with a handler of `Request`s.
 *
 * @module
 */

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { createAdaptorServer } from "@hono/node-server";

/** Answers a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A listener that answers. */
export interface Listener {
  /** Such as `http://127.0.0.1:8722`. */
  readonly url: string;
  /** The port, also where a free one was asked for. */
  readonly port: number;
  /** Stops accepting, waits up to `grace` milliseconds (default 10,000) for what is being answered, then cuts it off. */
  close(grace?: number): Promise<void>;
}

/** Listens until it is closed; port 0 takes a free one. Rejects where the port cannot be had. */
export async function listen(handler: Handler, hostname: string, port: number): Promise<Listener> {
  // `globalThis.Request` and `Response` stay the runtime's own: this is somebody else's process, too.
  const server = createAdaptorServer({ fetch: handler, overrideGlobalObjects: false }) as Server;
  // Node ends a request that takes five minutes to arrive; a push may take longer. Its head still has a minute.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${bound}`,
    close: (grace = 10_000) => close(server, grace),
  };
}

function close(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
