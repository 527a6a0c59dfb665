/**
 * The secret keys: from the environment if they are there, else from the data folder.
 *
 * @module
 */

import type { DataFolder } from "../node/data-folder/data-folder.js";

/** The keys for the service. */
export interface SecretKeys {
  secretKey: Uint8Array;
  previousSecretKeys: Uint8Array[];
}

/**
 * The key is `REFSYNC_SECRET_KEY`. Then the keys of `REFSYNC_PREVIOUS_SECRET_KEYS` (separated by commas) and of the data folder only
 * decrypt. Without the variable, the data folder's key is used. Throws if a key is not 32 bytes in base64, or if there is no key.
 */
export function secretKeys(
  folder: Pick<DataFolder, "secretKey" | "previousSecretKeys"> | null,
  environment: NodeJS.ProcessEnv = process.env,
): SecretKeys {
  const { REFSYNC_SECRET_KEY: present, REFSYNC_PREVIOUS_SECRET_KEYS: previous = "" } = environment;
  const named = previous.split(",").filter((text) => text.trim() !== "");
  const others = named.map((text) => bytes("REFSYNC_PREVIOUS_SECRET_KEYS", text));
  const kept = folder === null ? [] : [folder.secretKey, ...folder.previousSecretKeys];
  if (present) return { secretKey: bytes("REFSYNC_SECRET_KEY", present), previousSecretKeys: [...others, ...kept] };
  if (folder === null) {
    throw new Error(
      "without --data the secret key comes from REFSYNC_SECRET_KEY; set it to the content of secret.key in the data folder of `refsync serve`",
    );
  }
  return { secretKey: folder.secretKey, previousSecretKeys: [...others, ...folder.previousSecretKeys] };
}

function bytes(variable: string, text: string): Uint8Array {
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== 32) {
    throw new Error(`${variable}: must be 32 bytes in base64; \`openssl rand -base64 32\` makes such a key`);
  }
  return new Uint8Array(key);
}
