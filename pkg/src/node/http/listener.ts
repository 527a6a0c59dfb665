/**
 * The service and the page on a port.
 *
 * @module
 */

import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

import { refuseWrong, whole, wrongIn } from "../../kinds.js";
import { refuseUnknown } from "../../options.js";
import { type Listener, listen } from "./port.js";

/** The options of a listener. */
export interface ServeOptions {
  /** The service: its `fetch` answers `/v1/…`, the probes and `/{org}/{repo}.git/…`. */
  service: { fetch(request: Request): Promise<Response> };
  /** The folder of the page, which is served at `/`. Default: there is no page, and only the service answers. */
  page?: string;
  /** The address to listen on. Default: `127.0.0.1`, this machine only. */
  hostname?: string;
  /** The number of the port. Default: 0, which takes a free port. */
  port?: number;
  /** Called with the reason if a request fails outside the service. Default: writes to standard error. */
  onError?: (line: string) => void;
}

/**
 * Serves until it is closed.
 *
 * @throws if the port cannot be used.
 * @throws `InvalidRequestError` if an option is unknown or invalid.
 * @example
 * ```ts
 * import { serve } from "refsync/node";
 *
 * const listener = await serve({ service, port: 8722 });
 * console.log(listener.url);
 * await listener.close();
 * ```
 */
export async function serve(options: ServeOptions): Promise<Listener> {
  refuseUnknown("serve", options, known);
  refuseWrong("serve", wrongIn(options, { port: whole(0, 65535) }));
  const { service, page, hostname = "127.0.0.1", port = 0 } = options;
  const { onError = (line) => void process.stderr.write(`${line}\n`) } = options;
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
  return listen(app.fetch, hostname, port);
}

const known = { service: true, page: true, hostname: true, port: true, onError: true } satisfies Record<
  keyof ServeOptions,
  true
>;

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
