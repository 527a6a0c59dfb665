// The command as a user runs it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * @import { TestContext } from "node:test"
 * @import { Json } from "../../support/json.mjs"
 *
 * @typedef {Awaited<ReturnType<typeof serve>>} Served
 */

/** The command. */
export const bin = fileURLToPath(new URL("../../../pkg/bin/refsync.js", import.meta.url));

/**
 * An empty folder that goes with the test.
 *
 * @param {TestContext} t
 */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "refsync-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

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
 * Starts `refsync serve`; gives what its first line says.
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
   * @param {object | string} [body] A string is sent as it is.
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
 * Starts `refsync worker`; `first` is what its first line says.
 *
 * @param {TestContext} t
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} flags
 */
export async function worker(t, env, ...flags) {
  return start(t, env, ["worker", "--json", ...flags]);
}

/**
 * Starts the command, which prints a line of JSON once it is there, in a folder of its own. It goes with the test.
 *
 * @param {TestContext} t
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args
 */
async function start(t, env, args) {
  const cwd = folder(t);
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } });
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  /** @param {NodeJS.Signals} [signal] */
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    return ended;
  };
  t.after(() => stop("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  /** @type {string} */
  const first = await Promise.race([
    new Promise((resolve) => lines.once("line", resolve)),
    ended.then((code) => assert.fail(`refsync ${args[0]} ended with ${code}: ${errors}`)),
  ]);
  /**
   * The records that it has written to its log.
   *
   * @returns {Json[]}
   */
  const records = () =>
    errors
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  /** @type {Json} */
  const greeting = JSON.parse(first);
  return { first: greeting, stop, pid: child.pid, cwd, log: () => errors, records };
}

/**
 * Runs Git without anything of this user's configuration.
 *
 * @param {string} cwd
 * @param {string[]} args
 */
export async function git(cwd, ...args) {
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" };
  const { stdout } = await promisify(execFile)("git", [...identity, ...args], { cwd, env });
  return stdout.trim();
}

/**
 * Waits for the end of a run, of the repository `app` unless another is named.
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
