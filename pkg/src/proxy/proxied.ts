/**
 * The page's side of the relay of `refsync/proxy`.
 *
 * @module
 */
import type { EngineFetch, FetchAnswer } from "../host.js";

/** The header that says where a relayed answer came from, after redirects: the page cannot see it otherwise. */
export const ANSWERED_BY = "x-refsync-answered-by";

/** The relay's error code if a host does not answer with Git's protocol. */
export const ANSWER_NOT_GIT = "ANSWER_NOT_GIT";

/** A `fetch` that asks the relay at `proxy` for everything, and whose answers say where they came from. */
export function proxied(proxy: string, fetch: EngineFetch): EngineFetch {
  const base = proxy.replace(/\/+$/, "");
  return async (input, init) => {
    const { protocol, host, pathname, search } = new URL(input);
    const answer = await fetch(`${base}/${protocol.slice(0, -1)}/${host}${pathname}${search}`, init);
    // Requests that follow go where the first one was redirected to, by way of the relay again.
    const [, url] = [...answer.headers.entries()].find(([name]) => name.toLowerCase() === ANSWERED_BY) ?? [];
    if (url === undefined) throw await refusal(base, answer);
    return Object.defineProperty(answer, "url", { value: url });
  };
}

/** What the relay says itself, as the failure of a request: it is no answer of the remote. */
async function refusal(relay: string, answer: FetchAnswer): Promise<Error> {
  const said: unknown = await new Response(answer.body).json().catch(() => null);
  const { code, message } = (said as { error?: { code?: unknown; message?: unknown } } | null)?.error ?? {};
  const words = typeof message === "string" ? message : `it answered ${answer.status}; is it a refsync proxy?`;
  const error = new TypeError(`the relay at ${relay}: ${words}`);
  // A retry does not help if a host is not allowed or is not a Git server. It may help if a host cannot be reached or the relay is
  // busy.
  return answer.status < 500 || code === ANSWER_NOT_GIT ? Object.assign(error, { code: "ADDRESS_NOT_ALLOWED" }) : error;
}
