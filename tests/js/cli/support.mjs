// Runs the command like a user.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { folder } from "../../support/folder.mjs";
import { gitNow as git } from "../../support/git/git.mjs";
import { bin, startRefsync } from "../../support/process/refsync.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Json } from "../../support/json.mjs"
 *
 * @typedef {Awaited<ReturnType<typeof serve>>} Served
 */

export { bin, folder, git };

/**
 * Runs the command to its end.
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [cwd]
 */
export async function refsync(args, env = {}, cwd = process.cwd()) {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  /** @type {number | null} */
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { ...said, status };
}

/**
 * Starts `refsync serve`, and returns its first line.
 *
 * @param {TestContext} t
 * @param {string} data
 * @param {string[]} flags
 */
export async function serve(t, data, ...flags) {
  return serveWith(t, {}, data, ...flags);
}

/**
 * The same with further variables in its environment.
 *
 * @param {TestContext} t
 * @param {NodeJS.ProcessEnv} env
 * @param {string} data
 * @param {string[]} flags
 */
export async function serveWith(t, env, data, ...flags) {
  const started = await start(t, env, ["serve", "--json", "--port", "0", "--data", data, ...flags]);
  /** @type {import("../../support/service/serve.mjs").Greeting} */
  const { url, org, api_key: apiKey } = started.first;
  /**
   * @param {string} method
   * @param {string} path
   * @param {object | string} [body] A string is sent unchanged.
   * @returns {Promise<{ status: number, body: Json }>}
   */
  const api = async (method, path, body) => {
    const response = await fetch(`${url}/v1/${org}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  /** @param {string} repo */
  const remote = (repo) => `${url.replace("://", `://git:${apiKey}@`)}/${org}/${repo}.git`;
  return { ...started, url, org, apiKey, api, remote };
}

/**
 * Starts `refsync worker`. `first` is its first line.
 *
 * @param {TestContext} t
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} flags
 */
export async function worker(t, env, ...flags) {
  return start(t, env, ["worker", "--json", ...flags]);
}

/**
 * Starts the command in a folder of its own. The command prints a line of JSON when it is ready. It ends with the test.
 *
 * @param {TestContext} t
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args
 */
async function start(t, env, args) {
  const cwd = folder(t);
  const started = await startRefsync(args, { cwd, env });
  t.after(() => started.stop("SIGKILL"));
  /**
   * The records that it has written to its log.
   *
   * @returns {Json[]}
   */
  const records = () =>
    started
      .errors()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { ...started, cwd, log: started.errors, records };
}

/**
 * Waits for the end of a run of the repository `app`, or of another repository if one is named.
 *
 * @param {Pick<Served, "api">} service
 * @param {string} id
 * @param {string} [repo]
 * @returns {Promise<import("refsync").EndedRun>}
 */
export async function terminal(service, id, repo = "app") {
  for (let waited = 0; waited < 20_000; waited += 50) {
    const { body } = await service.api("GET", `/${repo}/upstream/syncs/${id}`);
    if (body.status === "completed" || body.status === "failed") return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail("the run does not end");
}

/**
 * A repository with two branches and both kinds of tags.
 *
 * @param {TestContext} t
 */
export async function workTree(t) {
  const path = folder(t);
  await git(path, "init", "--quiet", "--initial-branch=main");
  await git(path, "commit", "--quiet", "--allow-empty", "-m", "one");
  await git(path, "tag", "light");
  await git(path, "branch", "release/1");
  await git(path, "commit", "--quiet", "--allow-empty", "-m", "two");
  await git(path, "tag", "-a", "v1", "-m", "v1");
  return path;
}
