/** The address holds the page's state: `#/repos/app` and `#/repos/app/syncs/…`. So Back and reloading work. */

/** The open repository and run. */
export interface Route {
  /** The repository's name. */
  repo: string | null;
  /** The run that was picked from its history. */
  syncId: string | null;
}

/** Reads the address. */
export function currentRoute(): Route {
  const [, root, repo, leaf, syncId] = location.hash.split("/").map(decode);
  if (root !== "repos" || !repo) return { repo: null, syncId: null };
  return { repo, syncId: leaf === "syncs" && syncId ? syncId : null };
}

/** The address of a repository, or of one of its runs. */
export function addressOf(repo: string, syncId?: string): string {
  const base = `#/repos/${encodeURIComponent(repo)}`;
  return syncId === undefined ? base : `${base}/syncs/${encodeURIComponent(syncId)}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // The address may contain a single `%` that somebody typed.
    return part;
  }
}
