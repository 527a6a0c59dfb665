/**
 * The signature of a webhook: `t=<unix seconds>,sha256=<hex HMAC-SHA256 of "<t>.<raw body>">`. A sender that rotates its secret may send
 * several `sha256`.
 *
 * @module
 */
import { number, refuseWrong, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import { WebhookError } from "./webhook-error.js";

/** A body as it was received, before any parsing. */
export type RawBody = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** The largest body that is read, in bytes. The stats of a run with many refs may be long. */
export const LARGEST_BODY = 64 * 1024 * 1024;

/** The key of a secret. */
export function signingKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", encoder.encode(secret), HMAC, false, ["sign", "verify"]);
}

/** Rejects with a {@link WebhookError} unless one of the keys signed this body, at most `tolerance` seconds from now. */
export async function verifySignature(
  header: string | null | undefined,
  body: RawBody,
  keys: CryptoKey[],
  tolerance: number,
): Promise<void> {
  const parts = (header ?? "").split(",").map((part) => part.trim().split("="));
  const values = (name: string) => parts.filter(([key]) => key === name).map(([, value]) => value ?? "");
  const [time] = values("t");
  const signatures = values("sha256").filter((hex) => /^[0-9a-f]{64}$/i.test(hex));
  if (time === undefined || !/^\d{1,12}$/.test(time) || signatures.length === 0) {
    throw new WebhookError("receive webhook: x-mesa-signature is missing or malformed", { code: "SIGNATURE_MISSING" });
  }
  const signed = await signedBytes(time, body);
  const valid = await Promise.all(
    keys.flatMap((key) => signatures.map((hex) => crypto.subtle.verify("HMAC", key, unhex(hex), signed))),
  );
  if (!valid.includes(true)) {
    throw new WebhookError("receive webhook: the signature does not match the secret", { code: "SIGNATURE_WRONG" });
  }
  const age = Date.now() / 1000 - Number(time);
  if (Math.abs(age) <= tolerance) return;
  const [code, words] = age > 0 ? (["TOO_OLD", "ago"] as const) : (["TOO_NEW", "ahead of this clock"] as const);
  throw new WebhookError(
    `receive webhook: it was signed ${Math.abs(age).toFixed(0)} s ${words}, and ${tolerance} s are allowed`,
    { code },
  );
}

/**
 * Signs a payload for a test of your receiver, and returns the value of the header `x-mesa-signature`. `timestamp` is in Unix seconds;
 * default: now.
 *
 * @example
 * ```ts
 * import { signTestPayload } from "refsync/webhooks";
 *
 * const payload = JSON.stringify({ id: "evt_1", type: "sync.completed", data: {} });
 * const headers = { "x-mesa-signature": await signTestPayload(payload, "whsec_test") };
 * await fetch("http://localhost:3000/hooks", { method: "POST", headers, body: payload });
 * ```
 */
export async function signTestPayload(
  payload: RawBody,
  secret: string,
  options: { timestamp?: number | undefined } = {},
): Promise<string> {
  refuseUnknown("signTestPayload", options, { timestamp: true });
  refuseWrong("signTestPayload", wrongIn(options, { timestamp: number }));
  const time = Math.floor(options.timestamp ?? Date.now() / 1000);
  const mac = await crypto.subtle.sign("HMAC", await signingKey(secret), await signedBytes(`${time}`, payload));
  const hex = Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `t=${time},sha256=${hex}`;
}

function signedBytes(time: string, body: RawBody): Promise<ArrayBuffer> {
  return new Blob([`${time}.`, body]).arrayBuffer();
}

function unhex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();
