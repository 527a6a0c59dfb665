/**
 * A remote with credentials from Git's helpers.
 *
 * @module
 */

import type { AskCredentials } from "../../engine.js";
import { hasPassword, type Remote } from "./credentials.js";
import type { Filled } from "./git-credential.js";

/** A remote that asks Git's helpers if the server wants a password and the user gave none. */
export interface Helped {
  remote: Remote & { credentials?: AskCredentials };
  /** Tells the helpers whether the server accepted or refused their credentials. */
  settle(isAccepted: boolean): Promise<void>;
}

/** The remote with the helpers. Credentials that the user gave come first: if they are refused, no helper is asked. */
export function helped(remote: Remote): Helped {
  if (hasPassword(remote)) return { remote, settle: async () => {} };
  let filled: Filled | undefined;
  // Loaded only when needed, because most syncs have a token or need no credentials.
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
