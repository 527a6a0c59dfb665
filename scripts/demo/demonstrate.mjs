// The demonstration: the repository `app` with its upstream `app-upstream`, which the same service hosts. `app` has been
// pulled once. The upstream has changed since, so that the next pull shows every outcome.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { say } from "../command.mjs";
import { withHistory } from "./history.mjs";

const run = promisify(execFile);

/** How long the first pull may take, in milliseconds. */
const PULL_TIMEOUT = 60_000;

/** The newest tag of the upstream. It exists after the upstream's changes. */
const NEW_TAG = "demo-v3.0.0";

/**
 * Makes the missing parts of the demonstration. Every step can be repeated, so the next start completes an interrupted one.
 *
 * @param {{ url: string, org: string, apiKey: string }} hosted
 * @param {string} data The service's data folder.
 */
export async function demonstrate({ url, org, apiKey }, data) {
  const api = client(`${url}/v1/${org}`, apiKey);
  const upstreamUrl = `${url}/${org}/app-upstream.git`;
  const remote = upstreamUrl.replace("://", `://git:${encodeURIComponent(apiKey)}@`);

  const upstreamRepo = (await api("GET", "/app-upstream")) ?? (await api("POST", "/repos", { name: "app-upstream" }));
  const branches = ["refs/heads/main", "refs/heads/release/*:refs/heads/release/*", "refs/heads/experiment"];
  if ((await git("ls-remote", remote)) === "") {
    say("filling the demonstration's upstream");
    await withHistory(async (repository) => {
      const history = inRepository(repository);
      const attempt = await history.commit("main", "experiment: a first attempt");
      await history.git("update-ref", "refs/heads/experiment", attempt);
      await history.git("update-ref", "refs/tags/nightly", attempt);
      await history.git("push", "--quiet", remote, ...branches, "refs/tags/*:refs/tags/*");
    });
  }

  let app = await api("GET", "/app");
  const upstream = { url: upstreamUrl, auth: { kind: "token", token: apiKey } };
  if (!app) app = await api("POST", "/repos", { name: "app", upstream });
  else if (app.upstream?.url !== upstreamUrl && isOurs(app.upstream?.url)) {
    app = await api("PATCH", "/app", { upstream });
  }
  if (app.upstream?.url !== upstreamUrl) return;

  if (app.upstream.latest_sync === null) {
    const { id } = await api("POST", "/app/upstream/syncs", { direction: "pull" });
    await ended(() => api("GET", `/app/upstream/syncs/${id}`));
  }
  if ((await git("ls-remote", remote, `refs/tags/${NEW_TAG}`)) === "") {
    await moveOn(remote);
    const folder = join(data, "repositories", `${upstreamRepo.id}.git`);
    await git("--git-dir", folder, "symbolic-ref", "refs/heads/stable", "refs/heads/release/2");
  }
}

/**
 * Changes the upstream like a day of a project: a commit, a new branch, a new tag, a force-pushed branch, and a tag that
 * moves with it.
 *
 * @param {string} remote
 */
async function moveOn(remote) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-demo-"));
  try {
    await git("clone", "--quiet", "--bare", remote, folder);
    const clone = inRepository(folder);
    // Another commit with the same parent. It replaces the first attempt, like `git commit --amend`.
    const attempt = await clone.commit("experiment^", "experiment: a second attempt");
    const next = await clone.commit("main", "docs: say what the next version brings");
    const feature = await clone.commit(next, "search: begin");
    await clone.git("tag", "-a", "-m", "The third version", NEW_TAG, next);
    const moves = [
      `${next}:refs/heads/main`,
      `${feature}:refs/heads/feature/search`,
      `refs/tags/${NEW_TAG}`,
      `+${attempt}:refs/heads/experiment`,
      `+${attempt}:refs/tags/nightly`,
    ];
    await clone.git("push", "--quiet", remote, ...moves);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A bare repository on this machine.
 *
 * @param {string} folder
 */
function inRepository(folder) {
  const identity = ["-c", "user.name=Ada Example", "-c", "user.email=ada@example.com"];
  /** @param {string[]} args */
  const inside = (...args) => git("--git-dir", folder, ...identity, ...args);
  return {
    git: inside,
    /**
     * Makes a commit without changes, and returns its id.
     *
     * @param {string} parent
     * @param {string} message
     */
    commit: (parent, message) => inside("commit-tree", `${parent}^{tree}`, "-p", parent, "-m", message),
  };
}

/**
 * Whether the upstream belongs to the demonstration but has an earlier port. An upstream that the user chose stays
 * unchanged.
 *
 * @param {string | undefined} upstreamUrl
 */
function isOurs(upstreamUrl) {
  return /^http:\/\/127\.0\.0\.1:\d+\/demo\/app-upstream\.git$/.test(upstreamUrl ?? "");
}

/**
 * Waits until a run has ended.
 *
 * @param {() => Promise<import("refsync").SyncRun>} read
 */
async function ended(read) {
  for (const start = Date.now(); Date.now() - start < PULL_TIMEOUT; ) {
    const run = await read();
    if (run.status === "completed") return;
    if (run.status === "failed") throw new Error(`the first pull failed: ${run.error}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the first pull did not end within ${PULL_TIMEOUT / 1000} s`);
}

/**
 * Makes a function that calls the API. It returns null for a 404.
 *
 * @param {string} base
 * @param {string} apiKey
 */
function client(base, apiKey) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  return async (method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.status === 404) return null;
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${answer.error?.message ?? response.status}`);
    return answer;
  };
}

/** @param {string[]} args */
async function git(...args) {
  // Without the user's configuration, which may sign tags or name a proxy.
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null" };
  // The arguments and Git's output may contain the key, so the error contains neither.
  const { stdout } = await run("git", args, { env }).catch((error) => {
    throw new Error(`git ${args.find((arg) => /^[a-z]+(-[a-z]+)*$/.test(arg)) ?? ""}: exit code ${error.code}`);
  });
  return stdout.trim();
}
