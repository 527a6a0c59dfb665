/**
 * A remote's credentials, from its URL or the environment.
 *
 * @module
 */

import { addressOf, refusedCredential } from "../../engine/address.js";

/** A remote for the engine. Credentials may stay in the URL: the engine removes them. */
export interface Remote {
  url: string;
  username?: string;
  password?: string;
}

/** The URL cannot be synced with, or a variable is not a valid credential. */
export class UrlError extends Error {}

/**
 * A remote, with the credentials of the environment: `REFSYNC_SOURCE_…` or `REFSYNC_DESTINATION_…`, followed by `USERNAME`,
 * `PASSWORD` or `TOKEN`. The URL takes precedence: a user name in it is used with the environment's token. If it has a password,
 * the environment is ignored.
 */
export function remoteOf(side: "source" | "destination", text: string, environment: NodeJS.ProcessEnv): Remote {
  const address = addressOf(text);
  if ("refusal" in address) throw new UrlError(`the ${side} ${address.refusal}`);
  const { url } = address;
  const variable = (suffix: string) => {
    const name = `REFSYNC_${side.toUpperCase()}_${suffix}`;
    // Copying, or reading a file, can add a line end, a blank or a byte order mark.
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

/** Whether a remote has a password, even an empty one. */
export function hasPassword({ url, password }: Remote): boolean {
  return password !== undefined || userinfoOf(url)?.includes(":") === true;
}

/** The text before the `@` of a URL, unchanged. */
function userinfoOf(url: string): string | undefined {
  return /^https?:\/\/([^/\\]*)@/i.exec(url)?.[1];
}
