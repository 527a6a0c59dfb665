/** A Git host on loopback: Git's own server, for bare repositories in a folder that is removed with it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend, serve } from "../../../pkg/dist/node.js";
import { git } from "./git.mjs";

/**
 * Starts a Git host. Everyone can read and write a repository, unless it was made with a token.
 */
export async function gitServer() {
  const root = await mkdtemp(join(tmpdir(), "refsync-git-server-"));
  const backend = gitHttpBackend({ root });
  /** @type {Map<string, string>} */
  const tokens = new Map();
  /** @param {Request} request */
  const answer = async (request) => {
    const url = new URL(request.url);
    url.pathname = url.pathname.replace(/^\/git/, "");
    const [, name = ""] = /^\/(.+)\.git\//.exec(url.pathname) ?? [];
    const token = tokens.get(name);
    const [, given] = atob(request.headers.get("authorization")?.replace(/^Basic /, "") ?? "").split(":");
    if (token !== undefined && given !== token) {
      return new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="a test"' } });
    }
    const { method, headers, body, signal } = request;
    return backend.fetch(new Request(url, { method, headers, body, signal, ...(body && { duplex: "half" }) }));
  };
  const listener = await serve({ service: { fetch: answer } });
  const folder = (/** @type {string} */ name) => join(root, `${name}.git`);
  return {
    /** Its address without a path. */
    origin: listener.url,
    /**
     * Makes an empty repository, and returns its URL.
     *
     * @param {string} name
     * @param {{ token?: string }} options `token`: the password that it asks for.
     */
    async create(name, { token } = {}) {
      await backend.create(name, "main");
      if (token !== undefined) tokens.set(name, token);
      return `${listener.url}/git/${name}.git`;
    },
    /**
     * Adds an empty commit to `main`, and returns its id.
     *
     * @param {string} name
     * @param {string} message
     */
    async commit(name, message) {
      const at = folder(name);
      const parent = await git(at, "rev-parse", "--verify", "--quiet", "refs/heads/main").catch(() => "");
      const tree = await git(at, "hash-object", "-t", "tree", "-w", "/dev/null");
      const id = await git(at, "commit-tree", tree, ...(parent ? ["-p", parent] : []), "-m", message);
      await git(at, "update-ref", "refs/heads/main", id);
      return id;
    },
    /**
     * Every ref with its commit, as `git for-each-ref` lists them.
     *
     * @param {string} name
     */
    refs: (name) => git(folder(name), "for-each-ref", "--format=%(objectname) %(refname)"),
    async close() {
      await listener.close(0);
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
