/**
 * The relay.
 *
 * @module
 */
import type { Fetch } from "../host.js";
import { number, refuseWrong, timer, whole, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import { limited } from "./limited.js";
import { ANSWER_NOT_GIT, ANSWERED_BY } from "./proxied.js";
import { Refusal, unreachable } from "./refusal.js";
import { follow, SERVICES, targetOf } from "./target.js";
import { watchdog } from "./watchdog.js";

/** The options of a relay. */
export interface GitProxyOptions {
  /**
   * The Git hosts: a name with or without a port, such as `github.com` or `git.example.com:8443`, for https only; or an origin such as
   * `http://git.internal:3000`. No wildcards.
   */
  hosts: readonly string[];
  /** The origins of the pages that may use it, such as `https://dashboard.example.com`; `*` allows every page. */
  origins: readonly string[];
  /**
   * The `fetch` to use. On Node pass `guardedFetch()` of `refsync/node`, which streams both ways and refuses private addresses.
   * Default: the runtime's own.
   */
  fetch?: Fetch | undefined;
  /** The most simultaneous requests. Further ones are answered with 503. Default: 32. */
  maxConcurrent?: number | undefined;
  /** The most bytes of the body of a request or an answer. Default: 4 GiB. */
  maxBytes?: number | undefined;
  /** How long no byte may pass in either direction, in milliseconds. Default: two minutes. */
  idleTimeout?: number | undefined;
}

/** The headers that the engine sends. No others are passed on. */
const PASSED_ON = ["accept", "authorization", "content-encoding", "content-type", "git-protocol"];

/**
 * The headers that are passed back. `www-authenticate` is not one of them, because it would make a browser ask its user for a
 * password. Nor is `content-encoding`, because `fetch` has decoded the body.
 */
const PASSED_BACK = ["cache-control", "retry-after"];

/** Some hosts send a sign-in page instead of a 401 if the user agent does not start with `git/`. */
const USER_AGENT = "git/2.0 (refsync)";

/** The content types of Git's smart HTTP. No browser shows one as a page. */
const GIT_TYPES = SERVICES.flatMap((service) =>
  ["advertisement", "result"].map((of) => `application/x-${service}-${of}`),
);

/** If somebody opens an answer as a page, it runs nothing, loads nothing, and has an origin of its own. */
const CONTENT_SECURITY_POLICY = "sandbox; default-src 'none'";

/**
 * Makes a relay.
 *
 * It answers only pages of `origins`, reaches only `hosts`, and passes on only Git's smart HTTP: the refs, and fetching and pushing.
 * The same rules hold for redirects. It passes on answers with Git's content types; for any other answer it passes on only the status.
 * Credentials go only to the host that the request names. Nothing is kept or logged. Programs other than browsers can forge an
 * `Origin`, so anyone who can reach a relay can reach its hosts through it.
 *
 * @throws `TypeError` if a host or an origin is invalid.
 * @throws `InvalidRequestError` if an option is unknown or invalid.
 * @example
 * ```ts
 * import { gitProxy } from "refsync/proxy";
 *
 * const relay = gitProxy({ hosts: ["github.com"], origins: ["https://dashboard.example.com"] });
 * export default { fetch: relay };
 * ```
 */
export function gitProxy(options: GitProxyOptions): (request: Request) => Promise<Response> {
  refuseUnknown("gitProxy", options, known);
  refuseWrong(
    "gitProxy",
    wrongIn(options, { maxConcurrent: whole(1, 0xffff_ffff), maxBytes: number, idleTimeout: timer }),
  );
  const hosts = new Set(options.hosts.map(originOfHost));
  const origins = new Set(options.origins.map((origin) => (origin === "*" ? origin : originOf(origin))));
  if (hosts.size === 0) throw new TypeError("gitProxy: hosts is empty; name the Git hosts that it may reach");
  if (origins.size === 0) throw new TypeError("gitProxy: origins is empty; name the pages that may use it, or *");
  const { maxConcurrent = 32, maxBytes = 4 * 1024 ** 3, idleTimeout = 120_000 } = options;
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  let running = 0;

  const relay = async (request: Request): Promise<Response> => {
    const target = targetOf(request, hosts);
    if (running >= maxConcurrent) {
      throw new Refusal(503, "BUSY", `${maxConcurrent} requests are being relayed; try again`, { "retry-after": "5" });
    }
    running += 1;
    const { signal, touch, end } = watchdog(request.signal, idleTimeout, () => {
      running -= 1;
    });
    const bounds = { maxBytes, touch };
    try {
      const headers = new Headers({ "user-agent": USER_AGENT });
      for (const name of PASSED_ON) pass(name, request.headers, headers);
      const body = request.body && limited(request.body, bounds);
      const init = { method: request.method, headers, signal, redirect: "manual" as const };
      const sent = body ? { ...init, body, duplex: "half" } : init;
      const { answer, url } = await follow(fetch, target, sent, hosts);
      const back = new Headers({ [ANSWERED_BY]: url.href });
      const type = mediaType(answer.headers);
      const isGit = GIT_TYPES.includes(type);
      for (const name of isGit ? [...PASSED_BACK, "content-type"] : PASSED_BACK) pass(name, answer.headers, back);
      if (answer.ok && !isGit) {
        const kind = type || "no content type";
        throw new Refusal(
          502,
          ANSWER_NOT_GIT,
          `${url.host} answers ${url.pathname} with ${kind} and not with Git's protocol; if it is a sign-in page, the credentials are missing or have expired`,
        );
      }
      if (!answer.body || !isGit) {
        end();
        return new Response(null, { status: answer.status, headers: back });
      }
      return new Response(limited(answer.body, { ...bounds, end }), { status: answer.status, headers: back });
    } catch (error) {
      end();
      throw error instanceof Refusal ? error : unreachable(error, target);
    }
  };

  return async (request) => {
    const origin = request.headers.get("origin");
    const allowed = origin !== null && (origins.has("*") || origins.has(origin));
    let response: Response;
    try {
      if (!allowed)
        throw new Refusal(
          403,
          "ORIGIN_NOT_ALLOWED",
          `this relay does not serve ${origin ?? "requests without an Origin"}`,
        );
      response = request.method === "OPTIONS" ? preflight(request) : await relay(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response = error.response();
    }
    response.headers.set("vary", "Origin");
    response.headers.set("x-content-type-options", "nosniff");
    response.headers.set("content-security-policy", CONTENT_SECURITY_POLICY);
    if (allowed) {
      response.headers.set("access-control-allow-origin", origin);
      response.headers.set("access-control-expose-headers", `${ANSWERED_BY}, retry-after`);
    }
    return response;
  };
}

const known = {
  hosts: true,
  origins: true,
  fetch: true,
  maxConcurrent: true,
  maxBytes: true,
  idleTimeout: true,
} satisfies Record<keyof GitProxyOptions, true>;

function preflight(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": PASSED_ON.join(", "),
    "access-control-max-age": "7200",
  });
  // A request of a public page to a relay on its user's own machine.
  if (request.headers.get("access-control-request-private-network") === "true") {
    headers.set("access-control-allow-private-network", "true");
  }
  return new Response(null, { status: 204, headers });
}

/** The content type without its parameters. */
function mediaType(headers: Headers): string {
  return `${headers.get("content-type") ?? ""}`.replace(/;.*/s, "").trim().toLowerCase();
}

function pass(name: string, from: Headers, to: Headers): void {
  const value = from.get(name);
  if (value !== null) to.set(name, value);
}

function originOfHost(host: string): string {
  return originOf(/^https?:\/\//.test(host) ? host : `https://${host}`, host);
}

/** The origin of a URL that has no other parts. */
function originOf(text: string, given = text): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url && !url.host.includes("*") && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  if (!isOrigin)
    throw new TypeError(`gitProxy: ${JSON.stringify(given)} is no host or origin, such as github.com or https://h`);
  return url.origin;
}
