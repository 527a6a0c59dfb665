/**
 * Detects the runtime if no feature test can.
 *
 * @module
 */
import type { Fetch } from "./host.js";

/** Whether this is a page or a worker of a browser. */
export function isBrowser(): boolean {
  const { navigator, process } = globalThis as { navigator?: { userAgent?: string }; process?: { versions?: object } };
  return process?.versions === undefined && (navigator?.userAgent ?? "").startsWith("Mozilla/");
}

/** A variable of the environment; undefined if it is not set or empty, or if the runtime has no environment. */
export function environmentVariable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.[name] || undefined;
  } catch {
    // Deno throws unless the script may read the environment.
    return undefined;
  }
}

/** The origin of the page or of the worker's script, such as `https://app.example.com`; undefined outside a browser. */
export function pageOrigin(): string | undefined {
  const { location } = globalThis as { location?: { origin: string } };
  // A page from a file has the origin "null".
  return isBrowser() && location?.origin.startsWith("http") ? location.origin : undefined;
}

/**
 * The runtime's own `fetch`. It is looked up at each call, so that a later replacement of the global one is used.
 *
 * `redirect: "error"` prevents a redirected POST from losing its body. workerd does not support it, so this does the same by hand.
 */
export const ownFetch: Fetch = async (input, init) => {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  if (init?.redirect !== "error" || navigator?.userAgent !== "Cloudflare-Workers") return globalThis.fetch(input, init);
  const response = await globalThis.fetch(input, { ...init, redirect: "manual" });
  if (response.status < 300 || response.status > 399) return response;
  await response.body?.cancel();
  throw new TypeError("unexpected redirect: a request with a body does not follow it");
};

/**
 * {@link ownFetch}, which says in a page of a browser what a server of another origin has to allow. The browser tells a page only that the
 * request failed. `remedy` gets the page's origin.
 */
export function ownFetchWith(remedy: (page: string) => string): Fetch {
  return async (input, init) => {
    try {
      return await ownFetch(input, init);
    } catch (error) {
      const page = pageOrigin();
      if (page === undefined || !(error instanceof TypeError) || new URL(input).origin === page) throw error;
      const message = `${error.message}: there is no connection, or the server does not let pages of ${page} read its answers (CORS)`;
      throw new TypeError(`${message}; ${remedy(page)}`, { cause: error });
    }
  };
}
