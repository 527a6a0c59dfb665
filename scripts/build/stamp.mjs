// Skips a step if none of its inputs has changed since it last succeeded.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { root, say } from "../command.mjs";

/**
 * Runs `step`, unless its inputs are unchanged and its outputs exist.
 *
 * Contents decide, not times. A fresh clone or a switched branch changes every file's time, but maybe no content.
 *
 * @param {string} name of the step, in messages and as the stamp's file name
 * @param {{ inputs: string[], outputs: string[], salt?: string }} files folders or files below the checkout;
 *   `salt` is anything else that decides the result, such as a profile or a tool's version
 * @param {() => Promise<void>} step
 */
export async function once(name, { inputs, outputs, salt = "" }, step) {
  const stamp = join(root, "target/stamps", name);
  const digest = fingerprint(inputs, salt);
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
  if (done && outputs.every((path) => existsSync(join(root, path)))) return;
  say(name);
  rmSync(stamp, { force: true });
  await step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/**
 * @param {string[]} inputs
 * @param {string} salt
 */
function fingerprint(inputs, salt) {
  const hash = createHash("sha256").update(salt);
  for (const path of inputs.flatMap((input) => files(join(root, input)))) {
    const content = createHash("sha256").update(readFileSync(path)).digest("hex");
    hash.update(`\n${relative(root, path)} ${content}`);
  }
  return hash.digest("hex");
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function files(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path).filter((name) => name !== "node_modules" && name !== "dist");
  return entries.sort().flatMap((name) => files(join(path, name)));
}
