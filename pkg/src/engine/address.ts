/**
 * The address of a repository, as people copy it.
 *
 * @module
 */

/**
 * Cleans an address, for example of blanks around it. If it cannot be synced with, says why, and what to write instead. A refusal
 * never quotes text that may contain a password.
 */
export function addressOf(given: unknown): { url: string } | { refusal: string } {
  if (typeof given !== "string" || given.trim() === "") return { refusal: "is missing" };
  // The first request of Git, copied from a log.
  const text = given.trim().replace(/\/info\/refs(\?service=git-(upload|receive)-pack)?$/, "");
  if (!/^https?:\/\/[^/]/i.test(text)) return { refusal: otherAddress(text) };
  if (!URL.canParse(text)) {
    return {
      refusal: "is not a URL; if a user name or password has one of the characters / ? # @ %, percent-encode it",
    };
  }
  if (/[?#]/.test(text)) {
    return { refusal: "has a query or a fragment, which no repository has; leave out what starts with ? or #" };
  }
  return { url: text };
}

/** Why a user name, a password or a token cannot be sent; undefined if it can be sent. */
export function refusedCredential(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") return "is not a string";
  // A line end after it is removed elsewhere.
  return /\p{Cc}/u.test(value.trim()) ? "has a line end or another control character in it" : undefined;
}

/** Describes an address that does not start with `http://` or `https://`. */
function otherAddress(text: string): string {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text) ?? [];
  const [, host, path] = /^(?:[^\s/@:]+@)?([\w.-]+):(?!\d+(?:\/|$))([^\\].*)$/.exec(text) ?? [];
  const isScp = scheme === undefined && host !== undefined && (host.includes(".") || text.includes("@"));
  if (scheme !== undefined && /^(ssh|git\+ssh|ssh\+git)$/i.test(scheme))
    return ssh(rest.replace(/^[^/]*@/, "").replace(/^([^/:]+):\d+/, "$1"));
  if (isScp && /^[\w./~-]+$/.test(path ?? "")) return ssh(`${host}/${path?.replace(/^\/+/, "")}`);
  if (scheme === "file" || /^([./~\\]|[a-z]:[\\/])/i.test(text)) {
    return "is a path on this machine; only repositories on a server can be reached, over http or https";
  }
  if (scheme !== undefined && /^https?$/i.test(scheme)) return "has no host";
  if (scheme !== undefined) return `is a ${scheme.toLowerCase()}:// URL, which is not supported; use the https URL`;
  if (/^[\w.-]+(:\d+)?\/[\w./~-]+$/.test(text) && text.includes(".")) return `is not a URL; write https://${text}`;
  return "is not a URL such as https://git.example.com/owner/repository.git";
}

function ssh(place: string): string {
  const example = /^[\w.-]+\/[\w./~-]+$/.test(place) ? `, such as https://${place}` : "";
  return `is an SSH address, and SSH is not supported; use the https URL${example}`;
}
