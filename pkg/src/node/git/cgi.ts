/**
 * A CGI program (RFC 3875) as a function from Request to Response.
 *
 * @module
 */

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

import { pipe, readableFrom } from "../http/web-stream.js";

/** A CGI program and its settings. */
export interface CgiOptions {
  command: string;
  args: string[];
  /** The whole environment, except for the variables from the request. */
  env: Record<string, string>;
  /** The path that the program sees. */
  pathInfo: string;
  /**
   * Milliseconds that the program gets to end by itself if nobody reads its answer any more, or if the request was cut short. Its input
   * is closed then. 0 ends it at once.
   */
  grace: number;
}

/**
 * Runs the program on this request. The answer and the request's body are streamed. If nobody reads the answer any more, the program is
 * ended.
 */
export async function cgi(request: Request, { command, args, env, pathInfo, grace }: CgiOptions): Promise<Response> {
  const child = spawn(command, args, {
    env: { ...env, ...variables(request, pathInfo) },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const complaint = lastWords(child.stderr);
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const abandon = () => {
    if (over.signal.aborted) return;
    over.abort();
    child.stdin.end();
    // The rest of its output is discarded, so that the program does not wait for a reader.
    child.stdout.removeAllListeners("data").resume();
    timer = setTimeout(() => child.kill("SIGTERM"), grace);
  };
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (error) => reject(new Error(`${command}: ${error.message}`)));
  });
  failed.catch(() => {});
  child.on("close", () => {
    clearTimeout(timer);
    over.abort();
    request.signal.removeEventListener("abort", abandon);
  });
  // A program may answer and end without reading its input.
  child.stdin.on("error", () => {});
  request.signal.addEventListener("abort", abandon, { once: true });
  if (request.signal.aborted) abandon();

  if (request.body) pipe(request.body, child.stdin, over.signal).catch(abandon);
  else child.stdin.end();

  const head = await Promise.race([readHead(child.stdout), failed]);
  if (head === null) {
    throw new Error(`${command}: ended without an answer${complaint() && `: ${complaint()}`}`);
  }
  const { status, headers } = parseHead(head);
  return new Response(readableFrom(child.stdout, { onCancel: abandon }), { status, headers });
}

/** The variables of RFC 3875, section 4.1, and the HTTP headers that Git reads. */
function variables(request: Request, pathInfo: string): Record<string, string> {
  const set: Record<string, string> = {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "refsync",
    REQUEST_METHOD: request.method,
    PATH_INFO: pathInfo,
    QUERY_STRING: new URL(request.url).search.slice(1),
  };
  const fromHeaders: Record<string, string> = {
    "content-type": "CONTENT_TYPE",
    // Not CONTENT_LENGTH: without it Git reads to the end of its input. With it, Git would wait for ever for bytes that a broken
    // connection never brings.
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "git-protocol": "GIT_PROTOCOL",
  };
  for (const [header, variable] of Object.entries(fromHeaders)) {
    const value = request.headers.get(header);
    if (value !== null) set[variable] = value;
  }
  return set;
}

/** The program's output up to the empty line; null if it ended before. The rest stays in the stream. */
function readHead(stdout: Readable): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const finish = (result: string | null) => {
      for (const event of ["readable", "end", "close"]) stdout.removeListener(event, read);
      resolve(result);
    };
    const read = () => {
      for (let chunk = stdout.read() as Buffer | null; chunk !== null; chunk = stdout.read() as Buffer | null) {
        head = Buffer.concat([head, chunk]);
        const end = /\r?\n\r?\n/.exec(head.toString("latin1"));
        if (end) {
          const rest = head.subarray(end.index + end[0].length);
          if (rest.length > 0) stdout.unshift(rest);
          return finish(head.toString("latin1", 0, end.index));
        }
        if (head.length > headLimit) return reject(new Error(`the answer's head is larger than ${headLimit} bytes`));
      }
      if (stdout.readableEnded || stdout.destroyed) finish(null);
    };
    for (const event of ["readable", "end", "close"]) stdout.on(event, read);
  });
}

function parseHead(head: string): { status: number; headers: Headers } {
  const headers = new Headers();
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else if (colon > 0) headers.append(name, value);
  }
  return { status, headers };
}

/** Collects the last part of a program's stderr. */
function lastWords(stderr: Readable): () => string {
  let text = "";
  stderr.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-2000);
  });
  return () => text.trim();
}

const headLimit = 64 * 1024;
