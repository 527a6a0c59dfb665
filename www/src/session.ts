/**
 * The service that the page talks to, and the key it shows there.
 *
 * The key arrives in the address's fragment, which no server ever sees, and moves at once to this tab's session storage:
 * it is in no history, no bookmark and no log, and it is gone with the tab.
 */

/** Where to call, and as whom. */
export interface Session {
  /** The API's base, such as `http://127.0.0.1:4000/v1`. */
  apiUrl: string;
  /** The API key. */
  apiKey: string;
}

/** The API of the service that served this page. */
export function ownApiUrl(): string {
  return new URL("/v1", location.origin).href;
}

/** Takes `#key=…` out of the address, if it is there, and opens a session on this page's own service. */
export function sessionFromAddress(): Session | null {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { apiUrl: ownApiUrl(), apiKey: key };
}

/** The session that this tab had before a reload. */
export function storedSession(): Session | null {
  const apiKey = sessionStorage.getItem(API_KEY);
  return apiKey ? { apiUrl: ownApiUrl(), apiKey } : null;
}

/** Keeps the session for as long as the tab lives. */
export function storeSession(session: Session): void {
  sessionStorage.setItem(API_KEY, session.apiKey);
}

/** Forgets the key. */
export function forgetSession(): void {
  sessionStorage.removeItem(API_KEY);
}

const API_KEY = "refsync.api_key";
