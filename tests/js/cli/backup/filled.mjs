// Data folders and backups with content, and ways to damage them, for the tests of backups.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { present } from "../../../support/present.mjs";
import { folder, git, refsync, serve, terminal, workTree } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo } from "refsync"
 */

/** @param {Repo} repo */
export const isDamaged = ({ damaged }) => damaged !== undefined;
/** @param {Repo} repo */
export const nameOf = ({ name }) => name;

/**
 * Makes a data folder with a synced repository, an empty one, and a waiting run.
 *
 * @param {TestContext} t
 */
export async function filled(t) {
  const data = join(folder(t), "data");
  const s = await serve(t, data, "--allow-private-network");
  await s.api("POST", "/repos", { name: "up" });
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", s.remote("up"), "--all");
  await git(tree, "push", "--quiet", s.remote("up"), "--tags");
  const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
  await s.api("POST", "/repos", { name: "app", upstream });
  await s.api("POST", "/repos", { name: "empty", default_bookmark: "trunk" });
  const { body } = await s.api("POST", "/app/upstream/syncs", { direction: "pull" });
  const run = await terminal(s, body.id);
  assert.equal(run.status, "completed", run.error ?? "");
  return { data, s, tree, run };
}

/**
 * The data that must be the same afterwards.
 *
 * @param {import("../support.mjs").Served} s
 * @param {string} tree
 */
export async function state(s, tree) {
  const repos = (await s.api("GET", "/repos")).body.repos;
  /** @type {Record<string, string>} */
  const refs = {};
  for (const { name } of repos) refs[name] = await git(tree, "ls-remote", s.remote(name));
  return { repos, syncs: (await s.api("GET", "/app/upstream/syncs")).body.syncs, refs, apiKey: s.apiKey };
}

/**
 * Every file of a folder, with its content and the time of its last change.
 *
 * @param {string} path
 */
export function contents(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  /** @param {string} name */
  const hash = (name) => createHash("sha256").update(readFileSync(name)).digest("hex");
  return names.map((name) => `${name} ${hash(name)} ${statSync(name).mtimeMs}`);
}

/**
 * A backup of a service with four repositories, and the ids of these by name.
 *
 * @param {TestContext} t
 */
export async function backedUp(t) {
  const { data, s, tree, run } = await filled(t);
  const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
  await s.api("POST", "/repos", { name: "second", upstream });
  const { body } = await s.api("POST", "/second/upstream/syncs", { direction: "pull" });
  assert.equal((await terminal(s, body.id, "second")).status, "completed");
  const { repos } = (await s.api("GET", "/repos")).body;
  /** @type {Record<string, string>} */
  const ids = Object.fromEntries(repos.map((/** @type {Repo} */ { name, id }) => [name, id]));
  const before = await state(s, tree);
  await s.stop();
  // Each has one pack, as after Git's housekeeping.
  for (const id of Object.values(ids)) await git(join(data, "repositories", `${id}.git`), "gc", "--quiet");
  const backup = join(folder(t), "backup");
  const made = await refsync(["backup", backup, "--data", data]);
  assert.equal(made.status, 0, made.stderr);
  return { data, backup, ids, before, tree, run };
}

/** @param {string} path */
export const packOf = (path) => {
  const pack = join(path, "objects/pack");
  return join(pack, present(readdirSync(pack).find((name) => name.endsWith(".pack"))));
};
/**
 * @param {string} file
 * @param {(bytes: Buffer) => Buffer} change
 */
export const changed = (file, change) => {
  const bytes = readFileSync(file);
  rmSync(file);
  writeFileSync(file, change(bytes));
};
/** @param {Buffer} bytes */
export const garbled = (bytes) => bytes.fill("X", bytes.length >> 1, (bytes.length >> 1) + 8);
