/**
 * A relay for the engine in a page. Git hosts do not answer pages of other origins; the relay does, for the hosts and the pages that
 * its operator names.
 *
 * It is a `fetch(Request) → Response` for any server or edge worker. `refsync proxy` hosts it on Node.
 *
 * ```ts
 * import { gitProxy } from "refsync/proxy";
 *
 * export default { fetch: gitProxy({ hosts: ["github.com"], origins: ["https://dashboard.example.com"] }) };
 * ```
 *
 * The page passes its address as the engine's option `proxy`. Then a request to `https://github.com/owner/repository.git/info/refs`
 * goes to `<proxy>/https/github.com/owner/repository.git/info/refs`.
 *
 * @module refsync/proxy
 */
export type {} from "./globals.js";
export type { Fetch } from "./host.js";
export { type GitProxyOptions, gitProxy } from "./proxy/git-proxy.js";
