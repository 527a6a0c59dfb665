/**
 * A remote whose credentials Git's helpers may know.
 *
 * @module
 */

import type { AskCredentials } from "../../engine.js";
import { hasPassword, type Remote } from "./credentials.js";
import type { Filled } from "./git-credential.js";

/** A remote that asks Git's helpers where the server wants a password and none was given. */
export interface Helped {
  remote: Remote & { credentials?: AskCredentials };
  /** Tells the helpers what became of what they gave: taken, or refused. */
  settle(isAccepted: boolean): Promise<void>;
}

/** The remote, with the helpers behind it. What was given counts, also where it is refused. */
export function helped(remote: Remote): Helped {
  if (hasPassword(remote)) return { remote, settle: async () => {} };
  let filled: Filled | undefined;
  // Loaded where it is needed: most servers let in whoever brings a token, and those that let in everybody ask for nothing.
  const helpers = () => import("./git-credential.js");
  const credentials: AskCredentials = async (url, { username }) => {
    filled = await (await helpers()).fill(url, username);
    return filled;
  };
  const settle = async (isAccepted: boolean) => {
    if (filled) await (await helpers()).tell(filled, isAccepted);
  };
  return { remote: { ...remote, credentials }, settle };
}
