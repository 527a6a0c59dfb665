/** A host as the source and as the destination of a sync, reached with Node's own `fetch` and with that of the command. */

import assert from "node:assert/strict";

import { SyncError, sync } from "../../../pkg/dist/engine.js";
import { httpFetch } from "../../../pkg/dist/node/http/fetch.js";
import { front, repositories, runGit } from "./front.mjs";

/**
 * @typedef {import("./front.mjs").Test} Test
 * @typedef {import("./front.mjs").Repositories} Repositories
 * @typedef {import("./front.mjs").Habit | (() => import("./front.mjs").Habit)} Habit
 * @typedef {{ error?: Error & { code?: string, side?: string, retryable?: boolean }, host: Awaited<ReturnType<typeof front>>, side: string }} Result
 * @typedef {(what: string, result: Result, destination: string) => Promise<void>} Check
 */

/** @type {["source", "destination"]} */
export const SIDES = ["source", "destination"];

/**
 * Both ways to send requests: the default of a script without its own `fetch`, and the `fetch` of `refsync sync`.
 *
 * @param {Test} t
 * @returns {Record<string, ReturnType<typeof httpFetch> | undefined>}
 */
export function fetches(t) {
  const own = httpFetch();
  t.after(() => own.close());
  return { "Node's fetch": undefined, "the command's fetch": own };
}

/**
 * Syncs from the host and to it, with each `fetch`. Calls `check(what, result, destination)` with the result of each sync,
 * and the name of its destination. `address(url)` changes the URL of the host's repository.
 *
 * @param {Test} t
 * @param {Repositories} repos
 * @param {Habit} habit
 * @param {Check} check
 * @param {{ only?: string, address?: (url: string) => string, options?: { collectLimit?: number } }} [options]
 */
export async function both(t, repos, habit, check, { only, address = (url) => url, options = {} } = {}) {
  const plain = await front(t, repos);
  for (const [name, fetch] of Object.entries(fetches(t))) {
    if (only && only !== name) continue;
    for (const side of SIDES) {
      // Each has a server of its own, because some habits concern only the first request.
      const host = await front(t, repos, typeof habit === "function" ? habit() : habit);
      const destination = await repos.empty();
      const at = { source: plain.url("upstream"), destination: plain.url(destination) };
      at[side] = address(host.url(side === "source" ? "upstream" : destination));
      const result = await sync({ ...at, ...(fetch && { fetch }), stallTimeout: 20_000, ...options }).then(
        () => ({ host, side }),
        (error) => ({ error, host, side }),
      );
      await check(`${side}, ${name}`, result, destination);
    }
  }
}

/**
 * Checks that the sync has done its work.
 *
 * @param {Repositories} repos
 * @returns {Check}
 */
export function works(repos) {
  return async (what, { error }, destination) => {
    assert.ifError(error);
    assert.equal(await repos.refs(destination), await repos.refs("upstream"), what);
  };
}

/**
 * Checks that the sync has failed with this code and a message with these words, and that nothing has changed.
 *
 * @param {Repositories} repos
 * @param {string} code
 * @param {RegExp[]} words
 * @returns {Check}
 */
export function fails(repos, code, ...words) {
  return async (what, { error, side }, destination) => {
    assert.ok(error instanceof SyncError, `${what}: ${error}`);
    assert.deepEqual([error.code, error.side], [code, side], `${what}: ${error.message}`);
    for (const word of words) assert.match(error.message, word, what);
    assert.equal(await repos.refs(destination), "", what);
  };
}

/**
 * Git's own result with the host: whether it lists the refs of one repository, and whether it pushes to the other.
 *
 * @param {Test} t
 * @param {Repositories} repos
 * @param {Habit} habit
 * @param {{ address?: (url: string) => string }} [options]
 */
export async function gitWith(t, repos, habit, { address = (url) => url } = {}) {
  const make = () => front(t, repos, typeof habit === "function" ? habit() : habit);
  const [from, to] = [await make(), await make()];
  const destination = await repos.empty();
  const listed = await runGit(repos.root, ["ls-remote", address(from.url("upstream"))]);
  const pushed = await runGit(repos.folder("upstream"), ["push", "-q", "--mirror", address(to.url(destination))]);
  if (pushed.status === 0) assert.equal(await repos.refs(destination), await repos.refs("upstream"));
  return { lists: listed.status === 0, pushes: pushed.status === 0 };
}

export { front, repositories, runGit };
