/** Two hosted repositories, and the engine between them. */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend } from "../../../pkg/dist/node.js";
import { git } from "../../support/git/git.mjs";

/**
 * Empty repositories of these names, served by `git http-backend`; `fetch` records the requests.
 *
 * @param {string[]} names
 */
export async function host(...names) {
  const root = await mkdtemp(join(tmpdir(), "refsync-engine-"));
  const backend = gitHttpBackend({ root });
  for (const name of names) await backend.create(name, "main");
  /** @type {string[]} */
  const asked = [];
  return {
    asked,
    /**
     * @param {string} url
     * @param {RequestInit} [init]
     */
    fetch: (url, init) => {
      asked.push(`${init?.method ?? "GET"} ${new URL(url).pathname.slice(1)}`);
      return backend.fetch(new Request(url, init));
    },
    /**
     * Makes one more repository.
     *
     * @param {string} name
     */
    create: (name) => backend.create(name, "main"),
    /** @param {string} name */
    url: (name) => `http://git.test/${name}.git`,
    /** @param {string} name */
    folder: (name) => join(root, `${name}.git`),
    /**
     * @param {string} name
     * @param {string[]} args
     */
    git: (name, ...args) => git(join(root, `${name}.git`), ...args),
    /**
     * @param {string} name
     * @param {string[]} patterns
     */
    refs: (name, ...patterns) =>
      git(join(root, `${name}.git`), "for-each-ref", "--format=%(refname) %(objectname)", ...patterns),
    /**
     * The files that a broken push may leave behind.
     *
     * @param {string} name
     */
    leftovers: async (name) => {
      const files = await readdir(join(root, `${name}.git`, "objects"), { recursive: true });
      return files.filter((file) => file.includes("tmp_") || file.includes("incoming"));
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
