// Calls of the API without the client package.

/** @typedef {(method: string, path: string, body?: object) => Promise<{ status: number, body: import("../support/json.mjs").Json }>} Call */

/**
 * The calls of one organisation; a call that gets no answer has status 0.
 *
 * @param {string} url
 * @param {string} org
 * @param {string} key
 * @param {AbortSignal} [signal]
 * @returns {Call}
 */
export function caller(url, org, key, signal) {
  return async (method, path, body) => {
    const timeout = AbortSignal.timeout(60_000);
    try {
      const response = await fetch(`${url}/v1/${org}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return { status: response.status, body: await response.json() };
    } catch (error) {
      return { status: 0, body: { error: String(error) } };
    }
  };
}
