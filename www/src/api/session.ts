/**
 * The service that the page calls, and its key.
 *
 * The user types or pastes a key, or the page gets one of its own: the address that `refsync serve` prints has a code in its
 * fragment. The code works once. The page exchanges it for a session, which is a key that expires. No address holds a key, because
 * a browser keeps addresses in its history. The key is kept in this tab's session storage until the tab is closed.
 */

import { UnauthenticatedError } from "refsync";

/** The API's address and the key. */
export interface Session {
  /** The API's base, such as `http://127.0.0.1:4000/v1`. */
  apiUrl: string;
  /** The API key. */
  apiKey: string;
  /** The key's id if the page got the key for a code. Signing out revokes it. */
  ownKeyId?: string | undefined;
}

/** The API of the service that served this page. */
export function ownApiUrl(): string {
  return new URL("/v1", location.origin).href;
}

/** The content of the address: a code, or a key, which the page does not accept there. */
export type FromAddress = { kind: "code"; code: string } | { kind: "key" };

/** Takes `#code=…` or `#key=…` out of the address, if it is there. */
export function takeFromAddress(): FromAddress | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const code = parameters.get("code");
  if (!code && !parameters.has("key")) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return code ? { kind: "code", code } : { kind: "key" };
}

/** Exchanges the code for a session on this page's own service. Throws an `UnauthenticatedError` if the code is no longer valid. */
export async function exchange(code: string): Promise<Session> {
  const apiUrl = ownApiUrl();
  const answer = await fetch(`${apiUrl}/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const json = await answer.json();
  if (answer.status === 401) throw new UnauthenticatedError(json.error.message, json.error);
  if (!answer.ok) throw new Error(json.error?.message ?? `The service answered ${answer.status}.`);
  return { apiUrl, apiKey: json.api_key, ownKeyId: json.id };
}

/** Ends a session at the service if the page got it for a code. A key that the user typed stays valid. */
export async function endSession({ apiUrl, apiKey, ownKeyId }: Session, org: string): Promise<void> {
  if (ownKeyId === undefined) return;
  const answer = await fetch(`${apiUrl}/${encodeURIComponent(org)}/api-keys/${encodeURIComponent(ownKeyId)}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${apiKey}` },
    // The user may close the tab right after this.
    keepalive: true,
  });
  // It may have expired, or have been revoked by somebody else.
  if (!answer.ok && answer.status !== 401) throw new Error(`The service answered ${answer.status}.`);
}

/** The session that this tab had before a reload. */
export function storedSession(): Session | null {
  const apiKey = sessionStorage.getItem(API_KEY);
  return apiKey ? { apiUrl: ownApiUrl(), apiKey, ownKeyId: sessionStorage.getItem(OWN_KEY_ID) ?? undefined } : null;
}

/** Keeps the session for as long as the tab lives. */
export function storeSession({ apiKey, ownKeyId }: Session): void {
  sessionStorage.setItem(API_KEY, apiKey);
  if (ownKeyId === undefined) sessionStorage.removeItem(OWN_KEY_ID);
  else sessionStorage.setItem(OWN_KEY_ID, ownKeyId);
}

/** Forgets the key. */
export function forgetSession(): void {
  sessionStorage.removeItem(API_KEY);
  sessionStorage.removeItem(OWN_KEY_ID);
}

const API_KEY = "refsync.api_key";
const OWN_KEY_ID = "refsync.own_key_id";
