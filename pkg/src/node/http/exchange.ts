/**
 * Sends one HTTP request, and reads the head of its answer.
 *
 * @module
 */

import type * as http from "node:http";
import type { LookupFunction } from "node:net";

import { pipe } from "./web-stream.js";

/** A request, apart from its address. */
export interface ExchangeOptions {
  /** The `request` function of `node:http` or `node:https`. */
  request: typeof http.request;
  method: string;
  headers: Record<string, string>;
  body: Uint8Array | ReadableStream<Uint8Array> | null;
  agent: http.Agent;
  /** Resolves names. Default: Node's own. */
  lookup: LookupFunction | undefined;
  signal: AbortSignal | null;
}

/**
 * Sends a request, and returns the answer as soon as its head is there. The request's body may still be on its way.
 *
 * The upload ends if the answer is a refusal (status 300 and up), or when the answer ends, because nobody reads on. Aborting ends both
 * directions, at any time until the answer's end.
 */
export async function exchange(url: URL, options: ExchangeOptions): Promise<http.IncomingMessage> {
  try {
    return await attempt(url, options);
  } catch (error) {
    const again = error instanceof StaleConnection && options.method === "GET" && options.body === null;
    if (!again) throw error instanceof StaleConnection ? error.cause : error;
    return attempt(url, options);
  }
}

/** Whether the request was sent on a kept-alive connection that the server had closed meanwhile. */
class StaleConnection extends Error {}

function attempt(
  url: URL,
  { request: open, method, headers, body, agent, lookup, signal }: ExchangeOptions,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    // Some servers end header lines without a CR, or send a length together with chunks. Git accepts such answers. A connection belongs
    // to one server, so a server can only confuse its own answers.
    const insecureHTTPParser = true;
    const request = open(url, { method, headers, agent, insecureHTTPParser, ...(lookup && { lookup }) });
    const upload = new AbortController();
    const abort = () => void request.destroy(signal?.reason);
    const release = () => {
      signal?.removeEventListener("abort", abort);
      upload.abort();
    };
    signal?.addEventListener("abort", abort, { once: true });

    request.on("response", (answer) => {
      if ((answer.statusCode ?? 0) >= 300) upload.abort();
      // If a body was not sent completely, its connection cannot be used again.
      const done = () => {
        release();
        if (!request.writableEnded) request.destroy();
      };
      answer.on("end", done);
      answer.on("close", done);
      // Node only reports the lost connection, but the caller who aborted expects the signal's reason.
      signal?.addEventListener("abort", () => void answer.destroy(signal.reason), { once: true });
      resolve(answer);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      release();
      const stale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      if (signal?.aborted) reject(signal.reason);
      else reject(stale ? new StaleConnection("stale", { cause: error }) : readable(error));
    });

    // In this order, because loading the class of streams takes Node 4 ms, and the server works meanwhile.
    if (body === null || ArrayBuffer.isView(body)) {
      request.end(body ?? undefined);
      request.once("finish", () => setImmediate(() => ReadableStream));
    } else {
      pipe(body, request, upload.signal).catch((error: unknown) => void request.destroy(asError(error)));
    }
  });
}

/** If Node tried several addresses of a host, its error has an empty message. This joins the messages of all tries. */
function readable(error: Error): Error {
  if (!(error instanceof AggregateError) || error.message) return error;
  error.message = error.errors.map((each: Error) => each.message).join("; ");
  return error;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
