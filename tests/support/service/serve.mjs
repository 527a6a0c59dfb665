/** The real service, as a user starts it: `refsync serve` on a free port, with a data folder of its own. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startRefsync } from "../process/refsync.mjs";

/**
 * Starts `refsync proxy` for these pages and hosts, which may be on this machine.
 *
 * @param {{ origins: string[], hosts: string[] }} pages
 */
export async function relay({ origins, hosts }) {
  const args = ["--json", "--port", "0", "--allow-private-network"];
  const started = await startRefsync([
    "proxy",
    ...args,
    ...origins.flatMap((origin) => ["--allow-origin", origin]),
    ...hosts.flatMap((host) => ["--allow-host", host]),
  ]);
  /** @type {{ url: string }} */
  const { url } = started.first;
  return { ...started, url };
}

/**
 * @typedef {{ url: string, org: string, api_key: string }} Greeting What `refsync serve --json` prints.
 * @typedef {Awaited<ReturnType<typeof serve>>} Served
 */

/**
 * Starts the service. Resolves when it answers. `api` calls it without the client package, so that a test's set-up does not
 * depend on the tested code.
 */
export async function serve() {
  const data = await mkdtemp(join(tmpdir(), "refsync-test-"));
  const remove = () => rm(data, { recursive: true, force: true });
  const started = await startRefsync([
    "serve",
    "--json",
    "--port",
    "0",
    "--allow-private-network",
    "--data",
    data,
  ]).catch(async (error) => {
    await remove();
    throw error;
  });
  /** @type {Greeting} */
  const { url, org, api_key: apiKey } = started.first;
  const stop = async () => {
    await started.stop();
    await remove();
  };
  const origin = new URL(url).origin;
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<import("../json.mjs").Json>}
   */
  const api = async (method, path, body) => {
    const answer = await fetch(`${origin}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  return {
    origin,
    org,
    apiKey,
    api,
    pid: started.pid,
    stop,
    /**
     * A hosted repository's address, without its credential.
     *
     * @param {string} repo
     */
    remote: (repo) => `${origin}/${org}/${repo}.git`,
    /**
     * The same for `git`, with the key in the URL.
     *
     * @param {string} repo
     */
    gitUrl: (repo) => `${origin.replace("://", `://git:${encodeURIComponent(apiKey)}@`)}/${org}/${repo}.git`,
    log: started.log,
  };
}
