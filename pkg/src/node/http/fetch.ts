/**
 * A `fetch` over `node:http` with only the parts that a sync needs.
 *
 * Node's own `fetch` takes twice the CPU, keeps a streamed request body in memory in case it must follow a redirect, and cannot check
 * an address between name resolution and connection. Loading it takes 20 ms, so a sync does not use its classes here, and an answer is
 * plain data.
 *
 * @module
 */

import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup as resolve } from "node:dns";
import * as http from "node:http";
import { isIP } from "node:net";

import type { FetchAnswer } from "../../host.js";
import { exchange } from "./exchange.js";
import { readableFrom } from "./web-stream.js";

/** The options of a `fetch` over `node:http`. */
export interface HttpFetchOptions {
  /** Decides which addresses may be connected to. Default: all. */
  policy?: { allows(address: string): boolean; refusal(host: string, address: string): Error };
  /**
   * Asks for gzip. Off by default, because packs do not shrink. A compressed answer is always decoded, because some servers and
   * proxies compress without being asked.
   */
  decompress?: boolean;
  /** The `User-Agent` of requests that name none. Default: `refsync`. */
  userAgent?: string;
}

/** An answer. Its headers keep their order and case. */
export interface HttpAnswer extends FetchAnswer {
  readonly statusText: string;
  /** Whether another URL than the requested one answered. */
  readonly redirected: boolean;
}

/** A `fetch` that keeps connections open for a few seconds. */
export interface HttpFetch {
  (input: string | URL, init?: RequestInit): Promise<HttpAnswer>;
  /** Closes the idle connections. */
  close(): void;
}

/**
 * Makes a `fetch` whose answers are {@link HttpAnswer}s. `guardedFetch` describes the differences from the standard one.
 */
export function httpFetch(options: HttpFetchOptions = {}): HttpFetch {
  const { policy } = options;
  const lookup = policy && checkedLookup(policy);
  const agents = new Map<string, http.Agent>();
  // The origins that answered in HTTP/1.0. It has no chunked encoding, so a request body needs a length there (RFC 9112, section 6.1).
  const old = new Set<string>();

  const fetch = async (input: string | URL, init: RequestInit = {}): Promise<HttpAnswer> => {
    let url = parse(input);
    const method = (init.method ?? "GET").toUpperCase();
    const headers = plainHeaders(init.headers);
    headers["user-agent"] ??= options.userAgent ?? "refsync";
    if (options.decompress) headers["accept-encoding"] ??= "gzip";
    let body = await bodyOf(init.body ?? null, headers);
    for (let redirects = 0; ; redirects += 1) {
      if (policy) checkLiteral(policy, url);
      if (body !== null && !ArrayBuffer.isView(body) && old.has(url.origin)) {
        body = await collected(body, url);
      }
      const client = url.protocol === "https:" ? await import("node:https") : http;
      const agent = agents.get(url.protocol) ?? new client.Agent(agentOptions);
      agents.set(url.protocol, agent);
      const answer = await exchange(url, {
        request: client.request,
        method,
        headers,
        body,
        agent,
        lookup,
        signal: init.signal ?? null,
      });
      if (answer.httpVersion === "1.0") old.add(url.origin);
      const next = redirection(answer, url);
      if (next === null || init.redirect === "manual") return answerOf(answer, method, url, redirects);
      answer.destroy();
      refuseRedirect(init.redirect ?? "follow", method, url, next, redirects);
      if (next.origin !== url.origin) for (const name of credentialHeaders) delete headers[name];
      url = next;
    }
  };
  const close = () => {
    for (const agent of agents.values()) agent.destroy();
  };
  return Object.assign(fetch, { close });
}

// Common servers close idle connections after five seconds. Ours close earlier, so a push rarely gets a dead connection.
const agentOptions = { keepAlive: true, timeout: 4000, maxFreeSockets: 32 };

/** The headers by their lower-case names. */
function plainHeaders(given: RequestInit["headers"]): Record<string, string> {
  if (given === undefined) return {};
  const isPlain = !Array.isArray(given) && Object.getPrototypeOf(given) === Object.prototype;
  if (!isPlain) return Object.fromEntries(new Headers(given));
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
}

function parse(input: string | URL): URL {
  const url = URL.parse ? URL.parse(String(input)) : new URL(input);
  if (!url) throw Object.assign(new TypeError("fetch: not a URL"), { code: "ERR_INVALID_URL" });
  if (url.username || url.password)
    throw new TypeError(`fetch ${url.origin}: credentials belong in a header, not in the URL`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    // Does not show the rest of the URL, because it may contain a token.
    throw Object.assign(new TypeError(`fetch ${url.protocol}//${url.host}: only http and https`), {
      code: "ERR_INVALID_URL",
    });
  }
  return url;
}

/** The body as bytes or a stream. Sets its content type if the headers have none. */
async function bodyOf(
  body: BodyInit | null,
  headers: Record<string, string>,
): Promise<Uint8Array | ReadableStream<Uint8Array> | null> {
  if (body === null) return null;
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof ReadableStream) return body;
  const standard = new Response(body);
  const type = standard.headers.get("content-type");
  if (type) headers["content-type"] ??= type;
  return new Uint8Array(await standard.arrayBuffer());
}

/** The target of a redirect; null if the answer is not one. */
function redirection(answer: http.IncomingMessage, url: URL): URL | null {
  const { location } = answer.headers;
  if (!redirectStatuses.has(answer.statusCode ?? 0) || !location) return null;
  try {
    const next = new URL(location, url);
    // Removes credentials that a server puts into a redirect, and the fragment.
    next.username = next.password = next.hash = "";
    return parse(next);
  } catch (error) {
    answer.destroy();
    throw new TypeError(
      `fetch ${url.origin}${url.pathname}: redirected to an address that cannot be used: ${(error as Error).message}`,
    );
  }
}

function refuseRedirect(mode: RequestRedirect, method: string, from: URL, to: URL, redirects: number): void {
  const where = `${method} ${from.origin}${from.pathname}: redirected to ${to.origin}${to.pathname}`;
  if (mode === "error") throw new TypeError(`${where}, which this request does not follow`);
  if (method !== "GET" && method !== "HEAD") throw new TypeError(`${where}; only GET and HEAD follow redirects`);
  if (redirects >= 10) throw new TypeError(`${where} after 10 redirects`);
}

type Policy = NonNullable<HttpFetchOptions["policy"]>;

/**
 * Checks a URL whose host is an IP address, because Node does not call `lookup` for it. `URL` has normalised `0x7f.1` and `2130706433`.
 */
function checkLiteral(policy: Policy, url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) && !policy.allows(host)) throw policy.refusal(host, host);
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** A `lookup` for `net.connect` that returns only allowed addresses. So the checked address is the one that is connected to. */
function checkedLookup(policy: Policy) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const allowed = addresses.filter(({ address }) => policy.allows(address));
      const [first] = allowed;
      if (!first) return callback(policy.refusal(hostname, addresses[0]?.address ?? "no address"), []);
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

async function answerOf(
  answer: http.IncomingMessage,
  method: string,
  url: URL,
  redirects: number,
): Promise<HttpAnswer> {
  const { rawHeaders, statusCode: status = 0, statusMessage: statusText = "" } = answer;
  let headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  const bodyless = method === "HEAD" || status === 204 || status === 205 || status === 304;
  if (bodyless) answer.resume();
  const encoding = answer.headers["content-encoding"];
  // Loaded only when needed, because few servers compress without being asked.
  const decoded = encoding && !bodyless ? (await import("./decoded.js")).decoded(answer, encoding) : undefined;
  if (decoded) headers = headers.filter(([name]) => !/^content-(encoding|length)$/i.test(name));
  const whole = () => readableFrom(answer, { isWhole: () => answer.complete });
  return {
    status,
    statusText,
    url: url.href,
    redirected: redirects > 0,
    headers: { entries: () => headers.values() },
    body: bodyless ? null : decoded ? readableFrom(decoded) : whole(),
  };
}

/** Reads the whole body, for a server that needs its length. */
async function collected(body: ReadableStream<Uint8Array>, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
    size += value.byteLength;
    if (size <= MAX_COLLECTED) continue;
    await reader.cancel();
    const message = `fetch ${url.origin}${url.pathname}: the server speaks HTTP/1.0, and the request has more than the ${MAX_COLLECTED} bytes that can be sent there`;
    throw Object.assign(new TypeError(message), { code: "ERR_BODY_TOO_LARGE" });
  }
}

/** The most bytes of a request to a server of HTTP/1.0. */
const MAX_COLLECTED = 256 * 1024 * 1024;

const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const credentialHeaders = ["authorization", "cookie", "proxy-authorization"];
