/**
 * The page's side of the relay of `refsync/proxy`.
 *
 * @module
 */
import type { EngineFetch, FetchAnswer } from "../host.js";

/** The header with the URL that answered, after redirects. The page cannot see it otherwise. */
export const ANSWERED_BY = "x-refsync-answered-by";

/** The relay's error code if a host does not answer with Git's protocol. */
export const ANSWER_NOT_GIT = "ANSWER_NOT_GIT";

/** A `fetch` that sends every request to the relay at `proxy`. Its answers have the original URL. */
export function proxied(proxy: string, fetch: EngineFetch): EngineFetch {
  const base = proxy.replace(/\/+$/, "");
  return async (input, init) => {
    const { protocol, host, pathname, search } = new URL(input);
    const answer = await fetch(`${base}/${protocol.slice(0, -1)}/${host}${pathname}${search}`, init);
    // If the first request was redirected, later requests go to the new address, again through the relay.
    const [, url] = [...answer.headers.entries()].find(([name]) => name.toLowerCase() === ANSWERED_BY) ?? [];
    if (url === undefined) throw await refusal(base, answer);
    return Object.defineProperty(answer, "url", { value: url });
  };
}

/** An error of the relay itself, as a failed request, because it is not an answer of the remote. */
async function refusal(relay: string, answer: FetchAnswer): Promise<Error> {
  const said: unknown = await new Response(answer.body).json().catch(() => null);
  const { code, message } = (said as { error?: { code?: unknown; message?: unknown } } | null)?.error ?? {};
  const words = typeof message === "string" ? message : `it answered ${answer.status}; is it a refsync proxy?`;
  const error = new TypeError(`the relay at ${relay}: ${words}`);
  // A retry does not help if a host is not allowed or is not a Git server. It may help if a host cannot be reached or the relay is
  // busy.
  return answer.status < 500 || code === ANSWER_NOT_GIT ? Object.assign(error, { code: "ADDRESS_NOT_ALLOWED" }) : error;
}
