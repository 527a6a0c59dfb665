// A service with a repository `app` that follows the repository `source` of the same service. Both are real Git repositories.
import assert from "node:assert/strict";
import { join } from "node:path";

import { git, start } from "../support.mjs";

/**
 * @import { HeldRef, PolicyRequest } from "refsync"
 * @import { Json } from "../../../support/json.mjs"
 */

/** @typedef {Awaited<ReturnType<typeof mirror>>} Mirror */

/**
 * The source has the branches `main` and `work`, a branch `gone`, and the tag `v1`, and all of them were pulled.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ policy?: PolicyRequest } & import("../support.mjs").StartOptions} [options]
 */
export async function mirror(t, { policy, ...options } = {}) {
  const s = await start(t, options);
  const address = await s.listen();
  const { id: sourceId } = await s.ok("POST", "/acme/repos", { name: "source" });
  const upstream = { url: `${address}/acme/source.git`, auth: { kind: "token", token: s.keys.write } };
  const app = await s.ok("POST", "/acme/repos", {
    name: "app",
    upstream: { ...upstream, ...(policy && { policy }) },
  });
  /** @param {string} id */
  const repository = (id) => {
    const folder = join(s.folder, "repositories", `${id}.git`);
    /** @param {string[]} args */
    const run = (...args) => git(folder, ...args);
    return {
      git: run,
      /**
       * A new commit with these parents.
       *
       * @param {string} message
       * @param {string[]} parents
       */
      commit: async (message, ...parents) => {
        const tree = await run("hash-object", "-t", "tree", "-w", "/dev/null");
        return run("commit-tree", tree, "-m", message, ...parents.flatMap((parent) => ["-p", parent]));
      },
      /** Every ref with its id. */
      refs: async () => {
        const lines = (await run("for-each-ref", "--format=%(refname) %(objectname)")).split("\n").filter(Boolean);
        return new Map(lines.map((line) => /** @type {[string, string]} */ (line.split(" "))));
      },
    };
  };
  const [source, local] = [repository(sourceId), repository(app.id)];
  const root = await source.commit("root");
  for (const name of ["heads/main", "heads/work", "heads/gone", "tags/v1"]) {
    await source.git("update-ref", `refs/${name}`, root);
  }
  /**
   * Does a run to its end.
   *
   * @param {object} [request]
   * @returns {Promise<Json>}
   */
  const sync = async (request = {}) => {
    const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull", ...request });
    await s.service.tick();
    return s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  };
  assert.equal((await sync()).status, "completed");
  return {
    ...s,
    app,
    root,
    source,
    local,
    sync,
    /** @param {PolicyRequest | null} policy */
    setPolicy: (policy) => s.ok("PATCH", "/acme/app", { upstream: { url: upstream.url, policy } }),
    /**
     * The outcome and the reason of each ref of a run, by its short name.
     *
     * @param {Json} run
     */
    outcomes: (run) => {
      assert.equal(run.status, "completed", run.error);
      /** @type {Json[]} */
      const refs = run.stats.refs;
      return Object.fromEntries(
        refs.map(({ name, outcome, reason }) => [name.replace(/^refs\/[^/]+\//, ""), reason ?? outcome]),
      );
    },
    /** The held moves: name, old id, new id, direction, and whether it is approved. */
    held: async () => {
      /** @type {HeldRef[]} */
      const held = (await s.ok("GET", "/acme/app/upstream/held")).held;
      return held.map(({ name, from, to, direction, approved }) => [name, from, to, direction, approved]);
    },
    /** Rewrites `work`, moves `v1` and deletes `gone` at the source. */
    rewrite: async () => {
      const [work, tag] = [await source.commit("rewritten"), await source.commit("retagged")];
      await source.git("update-ref", "refs/heads/work", work);
      await source.git("update-ref", "refs/tags/v1", tag);
      await source.git("update-ref", "-d", "refs/heads/gone");
      return { work, tag };
    },
  };
}
