/**
 * A relay for the engine in a page: Git hosts answer no page of another origin, this does, for the hosts and the pages that
 * its operator names.
 *
 * It is a `fetch(Request) → Response`, for any server or edge worker; `refsync proxy` hosts it on Node.
 *
 * ```ts
 * import { gitProxy } from "refsync/proxy";
 *
 * export default { fetch: gitProxy({ hosts: ["github.com"], origins: ["https://dashboard.example.com"] }) };
 * ```
 *
 * The page names it as the engine's `proxy`. What is at `https://github.com/owner/repository.git/info/refs` is then asked
 * for at `<proxy>/https/github.com/owner/repository.git/info/refs`.
 *
 * @module
 */
import type { Fetch } from "./host.js";
import { refuseUnknown } from "./options.js";
import { limited } from "./proxy/limited.js";
import { ANSWER_NOT_GIT, ANSWERED_BY } from "./proxy/proxied.js";

export type { Fetch } from "./host.js";

/** What a relay serves, and to whom. */
export interface GitProxyOptions {
  /**
   * The Git hosts: a name with or without a port, such as `github.com` or `git.example.com:8443`, which is reached by https
   * only; or an origin such as `http://git.internal:3000`. No wildcards.
   */
  hosts: readonly string[];
  /** The pages that may use it, by their origin, such as `https://dashboard.example.com`; `*` is every page. */
  origins: readonly string[];
  /**
   * The `fetch` to relay with. On Node pass `guardedFetch()` of `refsync/node`, which streams both ways and reaches no private
   * address. The runtime's own when left out.
   */
  fetch?: Fetch | undefined;
  /** The most requests at a time; more are answered 503. 32 when left out. */
  maxConcurrent?: number | undefined;
  /** The most bytes of one request's or one answer's body; 4 GiB when left out. */
  maxBytes?: number | undefined;
  /** How long a request may go without a byte either way, in milliseconds; two minutes when left out. */
  idleTimeout?: number | undefined;
}

/** What the engine sends, and all that is passed on. */
const PASSED_ON = ["accept", "authorization", "content-encoding", "content-type", "git-protocol"];

/**
 * The headers that are passed back. `www-authenticate` is not one of them, because it would make a browser ask its user for a
 * password. Nor is `content-encoding`, because `fetch` has decoded the body.
 */
const PASSED_BACK = ["cache-control", "retry-after"];

/** Some hosts send a sign-in page instead of a 401 if the user agent does not start with `git/`. */
const USER_AGENT = "git/2.0 (refsync)";

const SERVICES = ["git-upload-pack", "git-receive-pack"];

/** The content types of Git's smart HTTP. No browser shows one as a page. */
const GIT_TYPES = SERVICES.flatMap((service) =>
  ["advertisement", "result"].map((of) => `application/x-${service}-${of}`),
);

/** If somebody opens an answer as a page, it runs nothing, loads nothing, and has an origin of its own. */
const CONTENT_SECURITY_POLICY = "sandbox; default-src 'none'";

/**
 * Makes a relay. Throws a `TypeError` for invalid hosts and origins, and an `InvalidRequestError` for an unknown option.
 *
 * It answers only pages of `origins`, reaches only `hosts`, and passes on only Git's smart HTTP: the refs, and fetching and
 * pushing. The same rules hold for redirects. It passes on answers with Git's content types; for any other answer it passes on only
 * the status. Credentials go to the host that the request names and nowhere else; nothing is kept or logged. An `Origin` can be
 * forged by what is no browser, so whoever can reach a relay can reach its hosts through it.
 */
export function gitProxy(options: GitProxyOptions): (request: Request) => Promise<Response> {
  refuseUnknown("gitProxy", options, known);
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

/** Why a request is not relayed, as the answer. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }

  response(): Response {
    const { status, code, message, headers } = this;
    return Response.json({ error: { code, message } }, { status, headers });
  }
}

function unreachable(error: unknown, target: URL): Refusal {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ADDRESS_NOT_ALLOWED") {
    return new Refusal(403, code, `${target.host} has a private address, which this relay does not reach`);
  }
  return new Refusal(502, "HOST_UNREACHABLE", `${target.host}: ${typeof message === "string" ? message : "no answer"}`);
}

function preflight(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": PASSED_ON.join(", "),
    "access-control-max-age": "7200",
  });
  // A public page that asks for a relay on its user's own machine.
  if (request.headers.get("access-control-request-private-network") === "true") {
    headers.set("access-control-allow-private-network", "true");
  }
  return new Response(null, { status: 204, headers });
}

/** Which address a request is for. */
function targetOf(request: Request, hosts: ReadonlySet<string>): URL {
  const { pathname, search } = new URL(request.url);
  const [, scheme, host, path] = /^\/(https?)\/([^/]+)(\/.+)$/.exec(pathname) ?? [];
  const text = `${scheme}://${host}${path}${search}`;
  if (!scheme || !host || !path || !URL.canParse(text)) {
    throw new Refusal(404, "NOT_FOUND", "ask for /https/<host>/<path of the repository>/info/refs?service=…");
  }
  const target = new URL(text);
  refuseHost(target, hosts);
  if (!isRefs(request.method, target) && !isPack(request.method, target)) {
    throw new Refusal(
      403,
      "NOT_GIT",
      "this relay passes on Git's smart HTTP only: info/refs, git-upload-pack, git-receive-pack",
    );
  }
  return target;
}

/** Whether this requests the refs, as the first request of a fetch or a push does. */
function isRefs(method: string, { pathname, searchParams }: URL): boolean {
  const [first, ...others] = searchParams;
  const [key, service] = first ?? [];
  return (
    method === "GET" &&
    pathname.endsWith("/info/refs") &&
    others.length === 0 &&
    key === "service" &&
    SERVICES.includes(`${service}`)
  );
}

/** Whether this fetches or pushes. */
function isPack(method: string, { pathname, search }: URL): boolean {
  return method === "POST" && search === "" && SERVICES.some((service) => pathname.endsWith(`/${service}`));
}

function refuseHost(target: URL, hosts: ReadonlySet<string>): void {
  if (target.username || target.password || !hosts.has(target.origin)) {
    throw new Refusal(
      403,
      "HOST_NOT_ALLOWED",
      `this relay does not reach ${target.origin}; its operator names the hosts`,
    );
  }
}

/**
 * Sends a request. Follows the redirect of a GET only to an address that a page may request, too: on a listed host, and for the
 * refs of the same service.
 */
async function follow(
  fetch: Fetch,
  target: URL,
  init: RequestInit & { headers: Headers },
  hosts: ReadonlySet<string>,
): Promise<{ answer: Response; url: URL }> {
  let url = target;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await fetch(url.href, init);
    const location = answer.headers.get("location");
    if (init.method !== "GET" || location === null || answer.status < 300 || answer.status > 399)
      return { answer, url };
    await answer.body?.cancel();
    if (redirects >= 5 || !URL.canParse(location, url.href)) {
      throw new Refusal(502, "HOST_UNREACHABLE", `${url.host} redirects without an end`);
    }
    const next = new URL(location, url);
    refuseHost(next, hosts);
    if (!isRefs("GET", next) || next.searchParams.get("service") !== url.searchParams.get("service")) {
      throw new Refusal(
        403,
        "NOT_GIT",
        `${url.host} redirects to ${next.pathname}, which is no address of Git's smart HTTP; this relay passes on nothing else`,
      );
    }
    // A credential stays with the host that it was meant for.
    if (next.origin !== url.origin) init.headers.delete("authorization");
    url = next;
  }
}

/** Aborts what is silent for too long, or whose client has gone; `end` says that it is over, once. */
function watchdog(client: AbortSignal, idleTimeout: number, over: () => void) {
  const controller = new AbortController();
  const stop = () => controller.abort(client.reason);
  const silent = () => controller.abort(new Error(`nothing came for ${idleTimeout} ms`));
  let timer = setTimeout(silent, idleTimeout);
  let isOver = false;
  client.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    touch: () => {
      clearTimeout(timer);
      if (!isOver) timer = setTimeout(silent, idleTimeout);
    },
    end: () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      client.removeEventListener("abort", stop);
      // What is still open to the host is of no use to anybody.
      controller.abort();
      over();
    },
  };
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

/** The origin of a URL that has nothing else. */
function originOf(text: string, given = text): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url && !url.host.includes("*") && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  if (!isOrigin)
    throw new TypeError(`gitProxy: ${JSON.stringify(given)} is no host or origin, such as github.com or https://h`);
  return url.origin;
}
