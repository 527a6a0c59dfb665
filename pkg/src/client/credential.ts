/**
 * Credentials, and the `Authorization` header of each.
 *
 * @module
 */
import { InvalidRequestError } from "../errors.js";
import type { Fetch } from "../host.js";

/**
 * An API key; a private key (`mesa_private_key_<org>_…`), which the package uses to sign a token for each request; or a function that
 * returns a token and is called before each request.
 */
export type Credential = string | (() => string | Promise<string>);

const PREFIX = "mesa_private_key_";

/** How long a signed token is valid, in seconds: the API's default. */
const LIFE = 15 * 60;

/** Whether each request needs a new token. An API key is used as it is. */
export function isSigned(credential: Credential): boolean {
  return typeof credential === "function" || credential.startsWith(PREFIX);
}

/** A function that makes the token of one request. */
function tokens(credential: Credential): () => Promise<string> {
  if (typeof credential === "function") return async () => credential();
  const parts = /^mesa_private_key_(.+)_([A-Za-z0-9_-]+?)=*$/.exec(credential);
  let key: Promise<SigningKey> | undefined;
  return async () => {
    key ??= signingKey(credential, parts);
    return sign(await key);
  };
}

/** A `fetch` that puts a fresh token into each request. */
export class SignedFetch {
  readonly #token: () => Promise<string>;
  readonly #fetch: Fetch;
  #failure: { error: unknown } | undefined;

  constructor(credential: Credential, fetch: Fetch) {
    this.#token = tokens(credential);
    this.#fetch = fetch;
  }

  readonly fetch: Fetch = async (input, init) => {
    let token: string;
    try {
      token = await this.#token();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = { error };
      // A name that ends the call. Without a credential, a new try is useless.
      throw new DOMException("there is no credential", "AbortError");
    }
    return this.#fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
  };

  /** The error while making the credential, if that ended the call. */
  failureBehind(error: unknown): unknown {
    return error instanceof Error && error.name === "AbortError" && !("cause" in error)
      ? this.#failure?.error
      : undefined;
  }
}

interface SigningKey {
  org: string;
  key: CryptoKey;
  /** The public key, base64url. */
  x: string;
}

async function signingKey(credential: string, parts: RegExpExecArray | null): Promise<SigningKey> {
  // Both an organisation's slug and base64url may contain underscores. So every split is tried until a key can be imported.
  for (let at = PREFIX.length; parts; at++) {
    at = credential.indexOf("_", at);
    if (at < 0) break;
    const der = bytes(credential.slice(at + 1));
    if (der === undefined) continue;
    try {
      // Extractable, because otherwise its public half cannot be read.
      const key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
      const { x } = await crypto.subtle.exportKey("jwk", key);
      if (x) return { org: credential.slice(PREFIX.length, at), key, x };
    } catch (error) {
      if ((error as Error).name === "NotSupportedError") throw error;
    }
  }
  const message = `is not ${PREFIX}<org>_<base64url of a PKCS#8 Ed25519 key>`;
  const fields = [{ field: "apiKey", message }];
  throw new InvalidRequestError(`make a client: apiKey ${message}`, { code: "INVALID_REQUEST", fields });
}

/** A fresh token: a JSON Web Token that carries its public key (RFC 7519, RFC 8037). */
async function sign({ org, key, x }: SigningKey): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: "EdDSA", typ: "mesa-at+jwt", jwk: { kty: "OKP", crv: "Ed25519", x } };
  const claims = { iss: org, aud: "mesa-api", admin: true, iat: now, exp: now + LIFE, jti: crypto.randomUUID() };
  const encode = (part: object) => base64url(new TextEncoder().encode(JSON.stringify(part)));
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text));
  return `${text}.${base64url(new Uint8Array(signature))}`;
}

function base64url(data: Uint8Array): string {
  const text = btoa(String.fromCharCode(...data));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}
