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
export type { Fetch } from "./host.js";
export { type GitProxyOptions, gitProxy } from "./proxy/git-proxy.js";
