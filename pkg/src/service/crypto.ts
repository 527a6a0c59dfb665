/**
 * The service's cryptography, with the Web Cryptography API.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** The functions that the service's WebAssembly calls; see `service/crypto.rs`. */
export const serviceCrypto = {
  /** AES-256-GCM. The tag follows the ciphertext. */
  async encrypt(key: Bytes, iv: Bytes, additionalData: Bytes, text: Bytes): Promise<ArrayBuffer> {
    const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
    return crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, aes, text);
  },
  /** Rejects if it was not encrypted with this key, nonce and data. */
  async decrypt(key: Bytes, iv: Bytes, additionalData: Bytes, text: Bytes): Promise<ArrayBuffer> {
    const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
    return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, aes, text);
  },
  /** SHA-256. */
  sha256(message: Bytes): Promise<ArrayBuffer> {
    return crypto.subtle.digest("SHA-256", message);
  },
  /** HMAC with SHA-256. */
  async hmacSha256(key: Bytes, message: Bytes): Promise<ArrayBuffer> {
    const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return crypto.subtle.sign("HMAC", hmac, message);
  },
  /** Ed25519. Rejects if the key is invalid. */
  async isSigned(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return crypto.subtle.verify("Ed25519", key, signature, message);
  },
  /** A new Ed25519 key: its private half as PKCS#8, and the bytes of its public one. */
  async newKey(): Promise<[ArrayBuffer, ArrayBuffer]> {
    const { privateKey, publicKey } = (await crypto.subtle.generateKey("Ed25519", true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    return Promise.all([crypto.subtle.exportKey("pkcs8", privateKey), crypto.subtle.exportKey("raw", publicKey)]);
  },
};
