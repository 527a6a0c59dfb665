/**
 * A port that a `fetch` handler answers.
 *
 * @module
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { createAdaptorServer } from "@hono/node-server";

/** Answers a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A listener. */
export interface Listener {
  /** The address, such as `http://127.0.0.1:8722`. */
  readonly url: string;
  /** The number of the port, even if a free one was requested. */
  readonly port: number;
  /**
   * Accepts no more requests, waits up to `grace` milliseconds (default 10,000) for current answers, and then closes all connections.
   */
  close(grace?: number): Promise<void>;
}

/** How slowly a request's body may arrive. */
export interface BodyPace {
  /** Milliseconds for a whole body. Git request bodies are excepted, because they may be large. */
  whole: number;
  /** Milliseconds. In each such period, at least `least` bytes of a Git request body must arrive. */
  every: number;
  least: number;
}

/**
 * Listens until it is closed. Port 0 takes a free port. Rejects if the port is not available. If a request's body arrives more slowly
 * than `pace`, its connection is closed.
 */
export async function listen(
  handler: Handler,
  hostname: string,
  port: number,
  pace: BodyPace = defaultPace,
): Promise<Listener> {
  // `globalThis.Request` and `Response` are not replaced, because other code runs in this process too.
  const server = createAdaptorServer({ fetch: handler, overrideGlobalObjects: false }) as Server;
  // Node ends a request that takes five minutes to arrive; a push may take longer. Its head still has a minute.
  server.requestTimeout = 0;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => keepPace(request, response, pace));
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

/** Closes the connection of a request if its body arrives too slowly, even if nobody reads the body. */
function keepPace(request: IncomingMessage, response: ServerResponse, pace: BodyPace): void {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (coding === undefined && (length === undefined || length === "0")) return;
  const { socket } = request;
  const isGit = /\/git-(upload|receive)-pack(\?|$)/.test(request.url ?? "");
  let read = socket.bytesRead;
  let wasHeldUp = false;
  const look = () => {
    if (request.complete) return stop();
    // If our buffer is full, or was full until just now, we are the slow side, not the sender.
    const isHeldUp = request.readableLength >= request.readableHighWaterMark;
    if (!isGit || !(isHeldUp || wasHeldUp || socket.bytesRead - read >= pace.least)) return socket.destroy();
    read = socket.bytesRead;
    wasHeldUp = isHeldUp;
  };
  const timer = setInterval(look, isGit ? pace.every : pace.whole);
  timer.unref();
  // Many requests come over one connection, one after another.
  const stop = () => {
    clearInterval(timer);
    socket.off("close", stop);
  };
  request.once("end", stop);
  response.once("close", () => request.complete && stop());
  socket.once("close", stop);
}

/**
 * The service itself answers 408 after half a minute. Git sends its packs without pauses, but a relayed source may be silent for
 * two minutes.
 */
const defaultPace: BodyPace = { whole: 60_000, every: 300_000, least: 16_384 };

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
