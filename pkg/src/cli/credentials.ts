/**
 * A remote's credentials, from its URL or the environment.
 *
 * @module
 */

import { addressOf, refusedCredential } from "../address.js";

/** A remote as the engine takes it. Credentials in the URL stay there: the engine takes them out. */
export interface Remote {
  url: string;
  username?: string;
  password?: string;
}

/** The URL is not one that can be synced with, or a variable is no credential. */
export class UrlError extends Error {}

/**
 * A remote, and what the environment adds to its URL: `REFSYNC_SOURCE_…` or `REFSYNC_DESTINATION_…`, that is `USERNAME`, and
 * `PASSWORD` or `TOKEN`. The URL comes first: a user name in it is used with the environment's token, and a password in it leaves
 * the environment out.
 */
export function remoteOf(side: "source" | "destination", text: string, environment: NodeJS.ProcessEnv): Remote {
  const address = addressOf(text);
  if ("refusal" in address) throw new UrlError(`the ${side} ${address.refusal}`);
  const { url } = address;
  const variable = (suffix: string) => {
    const name = `REFSYNC_${side.toUpperCase()}_${suffix}`;
    // A line end, a blank or a byte order mark comes along from a file or by copying.
    const value = environment[name]?.trim() || undefined;
    const refusal = refusedCredential(value);
    if (refusal !== undefined) throw new UrlError(`${name} ${refusal}`);
    return value;
  };
  const userinfo = userinfoOf(url);
  if (userinfo?.includes(":")) return { url };
  const username = userinfo === undefined ? variable("USERNAME") : undefined;
  const password = variable("PASSWORD") ?? variable("TOKEN");
  return { url, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** Whether a remote has a password, if only an empty one. */
export function hasPassword({ url, password }: Remote): boolean {
  return password !== undefined || userinfoOf(url)?.includes(":") === true;
}

/** What stands before the `@` of a URL, as it is written there. */
function userinfoOf(url: string): string | undefined {
  return /^https?:\/\/([^/\\]*)@/i.exec(url)?.[1];
}
