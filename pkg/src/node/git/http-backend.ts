/**
 * Bare repositories in a folder, served by Git's own `git http-backend`.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { GitHost } from "../../host.js";
import { refuseUnknown } from "../../options.js";
import { isThere } from "../files.js";
import { cgi } from "./cgi.js";
import { git, gitEnd, gitEnvironment } from "./command.js";
import { filesDamage, hasFewRefs, quickDamage } from "./damage.js";
import { PushRefs } from "./push-refs.js";
import { makeEmpty, removeAll, removeKept, repair } from "./rebuild.js";

/** The options of a Git host. */
export interface GitHttpBackendOptions {
  /** The folder of the repositories. It is made if it is missing. Each repository is `<root>/<id>.git`. */
  root: string;
  /** Called before every operation that may write. Throws if another process may have the folder by now. Default: nothing is checked. */
  check?: () => void;
}

/**
 * A host that keeps bare repositories in a folder and serves Git smart HTTP for them. It does not check credentials: the caller must do
 * that.
 *
 * @throws `InvalidRequestError` if an option is unknown.
 * @example
 * ```ts
 * import { gitHttpBackend } from "refsync/node";
 *
 * const git = gitHttpBackend({ root: "./data/repositories" });
 * await git.create("repo_1", "main");
 * ```
 */
export function gitHttpBackend(options: GitHttpBackendOptions): GitHost {
  refuseUnknown("gitHttpBackend", options, known);
  const root = resolve(options.root);
  const env = {
    ...gitEnvironment(root),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_HTTP_MAX_REQUEST_BUFFER: "64m",
  };
  const { check = () => {} } = options;
  const pushRefs = new PushRefs(gitEnvironment(root));
  const path = (repoId: string) => join(root, `${checkedId(repoId)}.git`);

  return {
    async create(repoId, defaultBranch) {
      const repository = path(repoId);
      check();
      if (await isThere(repository)) return;
      await mkdir(root, { recursive: true });
      const unfinished = join(root, `.new-${randomUUID()}`);
      try {
        await makeEmpty(unfinished, defaultBranch);
        await rename(unfinished, repository);
      } catch (error) {
        await rm(unfinished, { recursive: true, force: true });
        // Another process has made it meanwhile, which is fine.
        if (!(await isThere(repository))) throw error;
      }
    },

    async remove(repoId) {
      check();
      const gone = join(root, `.removed-${randomUUID()}`);
      await removeKept(root, repoId);
      try {
        await rename(path(repoId), gone);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        throw error;
      }
      await removeAll(gone);
    },

    async damage(repoId, look) {
      const repository = path(repoId);
      const isShort = look === "files" || (look === "refs-if-few" && !(await hasFewRefs(repository)));
      const found = await (isShort ? filesDamage(repository) : quickDamage(repository));
      return found?.reason ?? null;
    },

    async repair(repoId, defaultBranch) {
      check();
      checkedId(repoId);
      return repair(root, repoId, defaultBranch);
    },

    async setHead(repoId, branch) {
      check();
      await git(root, ["--git-dir", path(repoId), "symbolic-ref", "HEAD", `refs/heads/${branch}`]);
    },

    async hasCommit(repoId, commitId, refName) {
      if (!/^[0-9a-f]{40,64}$/.test(commitId) || refName?.startsWith("refs/") === false) return false;
      const refs = refName === undefined ? ["--branches", "--tags"] : [refName];
      // Lists the commit, unless one of the refs contains it.
      const args = ["rev-list", "--max-count=1", `${commitId}^{commit}`, "--not", ...refs, "--"];
      let listed = "";
      const { code } = await gitEnd(root, ["--git-dir", path(repoId), ...args], (chunk) => {
        listed += chunk;
      });
      // It fails if there is no such commit or ref.
      return code === 0 && listed === "";
    },

    async fetch(request) {
      check();
      const { pathname } = new URL(request.url);
      const found = servedPath.exec(pathname);
      if (!found?.[1] || !(await isThere(join(root, found[1])))) return new Response("not found\n", { status: 404 });
      // If a push is cut short, Git gets time to remove the received files. Other requests are ended at once.
      const grace = found[2] === "git-receive-pack" ? 5000 : 0;
      const backend = () => cgi(request, { command: "git", args: ["http-backend"], env, pathInfo: pathname, grace });
      if (!PushRefs.answers(request, root)) return backend();
      // If that fails, `git http-backend` says why.
      return pushRefs.answer(request, join(root, found[1])).catch((error: unknown) => {
        if (request.signal.aborted) throw error;
        return backend();
      });
    },
  };
}

/** Removes the files of unfinished creations and removals. Call it at a start, while no other process uses `root`. */
export async function sweep(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  const left = names.filter((name) => name.startsWith(".new-") || name.startsWith(".removed-"));
  await Promise.all(left.map((name) => removeAll(join(root, name))));
}

const known = { root: true, check: true } satisfies Record<keyof GitHttpBackendOptions, true>;

/** The two services, and the advertisement of each. The characters of an id cannot form a path out of the folder. */
const servedPath = /^\/([A-Za-z0-9][A-Za-z0-9_-]*\.git)\/(info\/refs|git-upload-pack|git-receive-pack)$/;

function checkedId(repoId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(repoId))
    throw new TypeError(`repository id ${JSON.stringify(repoId)}: not one of ours`);
  return repoId;
}
