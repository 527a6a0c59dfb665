/**
 * Which addresses the relay requests: those of Git's smart HTTP, on the hosts that its operator lists.
 *
 * @module
 */
import type { Fetch } from "../host.js";
import { Refusal } from "./refusal.js";

/** Git's services. */
export const SERVICES = ["git-upload-pack", "git-receive-pack"];

/** The address that a request is for. */
export function targetOf(request: Request, hosts: ReadonlySet<string>): URL {
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
export async function follow(
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
      throw new Refusal(502, "HOST_UNREACHABLE", `${url.host} redirects too many times`);
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
    // A credential is only sent to the host that it was meant for.
    if (next.origin !== url.origin) init.headers.delete("authorization");
    url = next;
  }
}
