/**
 * A remote's credentials, from its URL or the environment.
 *
 * @module
 */

/** A remote as the engine takes it. */
export interface Remote {
  url: string;
  username?: string;
  password?: string;
}

/** The URL is not one that can be synced with. */
export class UrlError extends Error {}

/**
 * Splits the credentials off a URL; where it has none, takes those of the environment
 * (`REFSYNC_SOURCE_…`, `REFSYNC_DESTINATION_…`: `USERNAME` and `PASSWORD`, or `TOKEN`, whose user name is `git` unless
 * `USERNAME` says otherwise).
 */
export function remoteOf(side: "source" | "destination", text: string, environment: NodeJS.ProcessEnv): Remote {
  const url = URL.canParse(text) ? new URL(text) : null;
  // What cannot be parsed may hold a password, so it is not repeated.
  if (!url) throw new UrlError(`the ${side} is not a URL`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UrlError(`the ${side} is a ${url.protocol} URL; refsync speaks http and https`);
  }
  const variable = (name: string) => environment[`REFSYNC_${side.toUpperCase()}_${name}`] || undefined;
  const inUrl = { username: decode(url.username), password: decode(url.password) };
  url.username = "";
  url.password = "";
  if (inUrl.username || inUrl.password) return { url: url.href, ...inUrl };
  const password = variable("PASSWORD") ?? variable("TOKEN");
  const username = variable("USERNAME") ?? (password === undefined ? undefined : "git");
  if (username === undefined) return { url: url.href };
  return { url: url.href, username, password: password ?? "" };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that starts no escape means itself.
    return text;
  }
}
