/**
 * A `fetch` over `node:http` that reaches only the addresses that an operator allows.
 *
 * @module
 */

import type { Fetch } from "../../host.js";
import { refuseUnknown } from "../../options.js";
import { AddressPolicy, type AddressPolicyOptions } from "./address-policy.js";
import { httpFetch } from "./fetch.js";

/** The options of a guarded `fetch`. */
export interface GuardedFetchOptions extends AddressPolicyOptions {
  /** Asks for gzip and decodes it. Default: false, because packs do not shrink. */
  decompress?: boolean;
  /** The `User-Agent` of requests that name none. Default: `refsync`. */
  userAgent?: string;
}

/** A `fetch` that keeps connections open for a few seconds. */
export type GuardedFetch = Fetch & {
  /** Closes the idle connections. */
  close(): void;
};

/**
 * Makes a `fetch` that refuses every address that is neither public nor allowed. It checks when it connects, after name resolution, and
 * on every redirect.
 *
 * It differs from the standard one as a sync needs it. Bodies stream both ways with backpressure. An answer that comes while the
 * request is still being sent is returned at once, and a refusal (status 300 and up) ends the upload. Only GET and HEAD follow
 * redirects (at most 10), and credentials stay with their origin. If a kept-alive connection is already closed, a GET is sent once
 * more.
 *
 * @throws `InvalidRequestError` if an option is unknown. The `fetch` itself rejects with an {@link AddressNotAllowedError} if an
 * address is refused.
 * @example
 * ```ts
 * import { sync } from "refsync/engine";
 * import { guardedFetch } from "refsync/node";
 *
 * const fetch = guardedFetch({ allow: ["10.1.0.0/16"] });
 * await sync({ source: "https://git.internal/app.git", destination: "https://git.example.com/app.git", fetch });
 * await fetch.close();
 * ```
 */
export function guardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  refuseUnknown("guardedFetch", options, known);
  const plain = httpFetch({ ...options, policy: new AddressPolicy(options) });
  const fetch = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const { status, statusText, url, redirected, headers, body } = await plain(input, init);
    const response = new Response(body, { status, statusText, headers: [...headers.entries()] });
    Object.defineProperty(response, "url", { value: url });
    Object.defineProperty(response, "redirected", { value: redirected });
    return response;
  };
  return Object.assign(fetch, { close: plain.close });
}

const known = { allowPrivateNetwork: true, allow: true, decompress: true, userAgent: true } satisfies Record<
  keyof GuardedFetchOptions,
  true
>;
