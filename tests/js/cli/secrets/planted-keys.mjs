// Private keys and the tokens that they sign, with all parts that must stay secret.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";

/** @import { KeyObject } from "node:crypto" */

/** @param {unknown} value */
const base64url = (value) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/**
 * Lets the service make a private key, and registers the public half of another one. Returns both in each notation, their
 * parts, and access tokens: a valid one, an expired one, and one that another key signed.
 *
 * @param {import("refsync/service").Service} service
 * @param {string} org
 */
export async function plantKeys(service, org) {
  const made = await service.createPrivateKey(org, "planted");
  const elsewhere = generateKeyPairSync("ed25519");
  const { x = "", d = "" } = elsewhere.privateKey.export({ format: "jwk" });
  await service.registerPublicKey(org, x, "planted elsewhere");
  const body = made.slice(`mesa_private_key_${org}_`.length);
  const seed = Buffer.from(body, "base64url").subarray(-32);
  const pem = pemOf(elsewhere.privateKey);
  const ec = pemOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  /** @param {string} text */
  const lines = (text) => text.split("\n").slice(1, -1);
  const own = createPrivateKey({ key: Buffer.from(body, "base64url"), format: "der", type: "pkcs8" });
  const now = Math.floor(Date.now() / 1000);
  const tokens = {
    token: accessToken(own, { iss: org, admin: true, iat: now, exp: now + 900 }),
    repoToken: accessToken(elsewhere.privateKey, { iss: org, access: { good: "read-repo" }, iat: now, exp: now + 900 }),
    expired: accessToken(own, { iss: org, admin: true, iat: now - 7200, exp: now - 3600 }),
    forged: accessToken(elsewhere.privateKey, { iss: org, admin: true, iat: now, exp: now + 900 }, own),
  };
  const keys = {
    privateKey: made,
    pem,
    // A PEM in one line, as somebody may write it.
    pemLine: ec.replaceAll("\n", " "),
    jwk: JSON.stringify(elsewhere.privateKey.export({ format: "jwk" })),
  };
  /** @type {Record<string, string>} */
  const parts = {
    "private key's DER": body,
    "private key's DER in base64": Buffer.from(body, "base64url").toString("base64"),
    "private key's seed": seed.toString("base64url"),
    "private key's seed in hexadecimal": seed.toString("hex"),
    "private key's seed in base64": seed.toString("base64"),
    "JWK's d": d,
    "JWK's d in base64": Buffer.from(d, "base64url").toString("base64"),
    "JWK's d in hexadecimal": Buffer.from(d, "base64url").toString("hex"),
  };
  for (const [name, text] of Object.entries({ pem, ec })) {
    for (const [n, line] of lines(text).entries()) parts[`line ${n + 1} of the ${name}`] = line;
  }
  for (const [name, token] of Object.entries(tokens)) {
    const [, claims = "", signature = ""] = token.split(".");
    parts[`claims of the ${name}`] = claims;
    parts[`signature of the ${name}`] = signature;
  }
  return { tokens, keys, secrets: { ...tokens, ...keys, ...parts } };
}

/** @param {KeyObject} key */
function pemOf(key) {
  return key.export({ format: "pem", type: "pkcs8" }).toString().trim();
}

/**
 * Makes a JWT of the wire contract. `named` is the key in its header, if it differs from the signing key.
 *
 * @param {KeyObject} key
 * @param {Record<string, unknown>} claims
 * @param {KeyObject} [named]
 */
function accessToken(key, claims, named = key) {
  const { x } = named.export({ format: "jwk" });
  const header = { alg: "EdDSA", typ: "mesa-at+jwt", jwk: { kty: "OKP", crv: "Ed25519", x } };
  const signed = [header, { aud: "mesa-api", jti: randomUUID(), ...claims }].map(base64url).join(".");
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}
