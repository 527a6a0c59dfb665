/**
 * The service and the page on a port.
 *
 * @module
 */

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { createAdaptorServer } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

/** What is served where. */
export interface ServeOptions {
  /** Answers `/v1/…`, the probes and `/{org}/{repo}.git/…`. */
  service: { fetch(request: Request): Promise<Response> };
  /** A folder with the page, served at `/`; without it only the service answers. */
  page?: string;
  /** Default `127.0.0.1`. */
  hostname?: string;
  /** 0 takes a free one, which is the default. */
  port?: number;
  /** Told why a request failed outside the service. Standard error when left out. */
  onError?: (line: string) => void;
}

/** A listener that answers. */
export interface Listener {
  /** Such as `http://127.0.0.1:8722`. */
  readonly url: string;
  /** The port, also where a free one was asked for. */
  readonly port: number;
  /** Stops accepting, waits up to `grace` milliseconds (default 10,000) for what is being answered, then cuts it off. */
  close(grace?: number): Promise<void>;
}

/** Serves until it is closed. Rejects where the port cannot be had. */
export async function serve({
  service,
  page,
  hostname = "127.0.0.1",
  port = 0,
  onError = (line) => void process.stderr.write(`${line}\n`),
}: ServeOptions): Promise<Listener> {
  const app = new Hono();
  for (const path of ["/v1/*", "/healthz", "/readyz", "/metrics"]) {
    app.all(path, (context) => service.fetch(context.req.raw));
  }
  app.all("/:org/:repo{.+\\.git}/*", (context) => service.fetch(context.req.raw));
  if (page !== undefined) {
    app.use(async (context, next) => {
      await next();
      for (const [name, value] of Object.entries(pageHeaders)) context.header(name, value);
    });
    app.get("*", serveStatic({ root: page }));
  }
  app.notFound((context) => context.json(error("NOT_FOUND", `nothing is at ${context.req.path}`), 404));
  app.onError((thrown, context) => {
    onError(`${context.req.method} ${context.req.path}: ${thrown.stack ?? thrown.message}`);
    return context.json(error("INTERNAL_ERROR", "the request failed; the log says why"), 500);
  });

  // `globalThis.Request` and `Response` stay the runtime's own: this is somebody else's process, too.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
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

function error(code: string, message: string) {
  return { error: { code, message } };
}

/** The page holds an API key, so it runs nothing but itself. */
const pageHeaders = {
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
