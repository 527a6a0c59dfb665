/**
 * Webhooks as a request handler of Node's `http`, of Express and of Fastify.
 *
 * @module
 */
import { refuseWrong } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import { LARGEST_BODY } from "./signature.js";
import type { Webhooks } from "./webhooks.js";

/** The part of Node's `IncomingMessage` that is read. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  /** The HTTP method. If it is missing, the request is refused. */
  method?: string | undefined;
  /** The path with the query. If it is missing, it counts as empty. */
  url?: string | undefined;
  /** The headers, by names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** The body, if the framework has read it: bytes or a text. If it is missing, the stream is read. */
  body?: unknown;
}

/** The part of Node's `ServerResponse` that is written. */
export interface NodeResponse {
  /** Sends the status and the headers. */
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** Sends the body, and ends the answer. */
  end(text: string): unknown;
}

/** The options of `nodeMiddleware`. */
export interface NodeMiddlewareOptions {
  /** The path that receives webhooks, such as `/hooks`. Default: every path that reaches the middleware. */
  path?: string | undefined;
}

/**
 * Makes a handler of Node requests. It answers like `Webhooks.respond`, and 405 if the method is not POST. A request for another path
 * goes to `next`, or is answered 404 if there is no `next`.
 *
 * In Express, use it before `express.json()`: the signature is that of the raw body. `express.raw()` may come before it.
 *
 * @throws `InvalidRequestError` if an option is unknown.
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { nodeMiddleware } from "refsync/webhooks";
 *
 * createServer(nodeMiddleware(webhooks, { path: "/hooks" })).listen(3000);
 * app.post("/hooks", nodeMiddleware(webhooks)); // Express
 * ```
 */
export function nodeMiddleware(webhooks: Webhooks, options: NodeMiddlewareOptions = {}) {
  refuseUnknown("nodeMiddleware", options, known);
  const { path } = options;
  if (path !== undefined && !path.startsWith("/")) {
    refuseWrong("nodeMiddleware", [{ field: "path", message: "must start with a slash, such as /hooks" }]);
  }
  return async (request: NodeRequest, response: NodeResponse, next?: (error?: unknown) => void): Promise<void> => {
    const answer = (status: number, text: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
      response.end(text);
    };
    // Not `new URL`, which throws for the path that a sender may choose, such as `//`.
    const [pathname] = (request.url ?? "").split("?");
    if (path !== undefined && pathname !== path) return next ? next() : answer(404, "not found");
    if (request.method !== "POST") return answer(405, "use POST", { allow: "POST" });
    try {
      const body = await rawBody(request);
      if (body === null) return answer(413, "the body is too large");
      const { status, text } = await webhooks.answer(body, header(request, "x-mesa-signature"));
      answer(status, text);
    } catch (error) {
      // Without `next`, nobody would handle a rejection, and a sender that breaks off its request would end the process.
      if (next) next(error);
      else answer(500, "the request could not be read");
    }
  };
}

/** The body before any parsing; null if it is too large. Throws if it was parsed already. */
async function rawBody(request: NodeRequest): Promise<Uint8Array<ArrayBuffer> | string | null> {
  const { body } = request;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (body !== undefined) {
    throw new TypeError(
      "webhooks: the body was parsed before, so its signature cannot be checked; put the middleware before express.json(), or use " +
        "express.raw({ type: '*/*' }) for its path",
    );
  }
  // The loop below ends the connection if it leaves early, and then the sender would not see the answer.
  if (Number(header(request, "content-length")) > LARGEST_BODY) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    length += bytes.byteLength;
    if (length > LARGEST_BODY) return null;
    chunks.push(bytes);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function header({ headers }: NodeRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

const known = { path: true } satisfies Record<keyof NodeMiddlewareOptions, true>;

const encoder = new TextEncoder();
