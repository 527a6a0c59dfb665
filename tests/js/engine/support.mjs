/** Two hosted repositories, and the engine between them. */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend } from "../../../pkg/dist/node/index.js";
import { git } from "../../support/git.mjs";

/** Empty repositories of these names, served by `git http-backend`; `fetch` keeps account of what was asked. */
export async function host(...names) {
  const root = await mkdtemp(join(tmpdir(), "refsync-engine-"));
  const backend = gitHttpBackend({ root });
  for (const name of names) await backend.create(name, "main");
  const asked = [];
  return {
    asked,
    fetch: (url, init) => {
      asked.push(`${init?.method ?? "GET"} ${new URL(url).pathname.slice(1)}`);
      return backend.fetch(new Request(url, init));
    },
    url: (name) => `http://git.test/${name}.git`,
    folder: (name) => join(root, `${name}.git`),
    git: (name, ...args) => git(join(root, `${name}.git`), ...args),
    refs: (name, ...patterns) =>
      git(join(root, `${name}.git`), "for-each-ref", "--format=%(refname) %(objectname)", ...patterns),
    /** What a push that was broken off may leave behind. */
    leftovers: async (name) => {
      const files = await readdir(join(root, `${name}.git`, "objects"), { recursive: true });
      return files.filter((file) => file.includes("tmp_") || file.includes("incoming"));
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
