/**
 * The Git host of a process without repositories.
 *
 * @module
 */
import type { GitHost } from "../../host.js";

/** A host whose every call fails with this reason. */
export function noRepositories(why: string): GitHost {
  const refuse = () => Promise.reject(new Error(why));
  return { create: refuse, remove: refuse, setHead: refuse, fetch: refuse };
}
