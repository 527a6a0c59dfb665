// Only one process at a time serves a data folder.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { present } from "../../../support/present.mjs";
import { spawnForeign } from "../../../support/process/namespace.mjs";
import { bin, folder, serve } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo } from "refsync"
 * @import { Json } from "../../../support/json.mjs"
 */

/** @param {Repo} repo */
const nameOf = ({ name }) => name;

/**
 * Starts `refsync serve` in a process namespace of its own, as in a container. Resolves when it answers.
 *
 * @param {TestContext} t
 * @param {string} data
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 */
async function container(t, data, { env = process.env } = {}) {
  const { child, isForeign, pid } = spawnForeign([bin, "serve", "--json", "--port", "0", "--data", data], { env });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const exit = once(child, "exit");
  t.after(() => child.kill("SIGKILL"));
  const line = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exit.then(() => null)]);
  assert.ok(line, `it ended before it answered: ${said}`);
  const { url, api_key: apiKey } = JSON.parse(line[0]);
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<{ status: number, body: Json }>}
   */
  const api = async (method, path, body) => {
    const answer = await fetch(`${url}/v1/default${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  return {
    api,
    exit,
    isForeign,
    said: () => said,
    kill: (/** @type {NodeJS.Signals} */ signal) => process.kill(pid(), signal),
  };
}

/**
 * Starts `refsync serve` in a process namespace of its own. It must refuse to start.
 *
 * @param {string} data
 * @param {string[]} flags
 */
async function refused(data, ...flags) {
  const { child } = spawnForeign([bin, "serve", "--port", "0", "--data", data, ...flags]);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [code] = await once(child, "close");
  assert.equal(code, 1, said);
  return said;
}

test("two containers on one volume: the second is refused, and nothing that was answered 201 is lost", async (t) => {
  const data = join(folder(t), "data");
  const first = await container(t, data);
  t.diagnostic(
    first.isForeign ? "in process namespaces of their own" : "in one process namespace: no other is allowed",
  );
  /** @type {string[]} */
  const made = [];
  /**
   * @param {Awaited<ReturnType<typeof container>>} service
   * @param {number} from
   * @param {number} to
   */
  const create = async (service, from, to) => {
    for (let n = from; n < to; n += 1) {
      assert.equal((await service.api("POST", "/repos", { name: `repo-${n}` })).status, 201);
      made.push(`repo-${n}`);
    }
  };
  const creating = create(first, 0, 10);
  assert.match(await refused(data), /process \d+ uses this data folder; stop it, or name another folder/);
  await creating;
  // A suspended process has not ended.
  first.kill("SIGSTOP");
  assert.match(await refused(data), /uses this data folder/);
  first.kill("SIGCONT");
  await create(first, 10, 15);
  first.kill("SIGKILL");
  await first.exit;
  const second = await container(t, data);
  await create(second, 15, 20);
  const { repos } = (await second.api("GET", "/repos")).body;
  assert.deepEqual(repos.map(nameOf).sort(), made.sort());
  assert.ok(repos.every((/** @type {Repo} */ { damaged }) => damaged === undefined));
});

test("--wait: a new process starts as soon as the old one has ended", async (t) => {
  const data = join(folder(t), "data");
  const first = await serve(t, data);
  const second = serve(t, data, "--wait", "60");
  await delay(1_500);
  assert.equal(await first.stop(), 0);
  const started = await second;
  assert.equal((await started.api("GET", "/repos")).status, 200);
  assert.match(started.log(), /uses this data folder.*Waiting for it to end/);
  assert.match(await refused(data, "--wait", "1"), /uses this data folder; stop it/);
});

test("without the kernel's lock a suspended process loses the folder, and ends without writing when it wakes up", async (t) => {
  const data = join(folder(t), "data");
  // PATH contains only Git.
  const path = folder(t);
  for (const place of present(process.env.PATH).split(":")) {
    if (existsSync(join(place, "git")) && !existsSync(join(path, "git")))
      symlinkSync(join(place, "git"), join(path, "git"));
  }
  const first = await container(t, data, { env: { ...process.env, PATH: path } });
  assert.match(readFileSync(join(data, "lock"), "utf8"), /"kernel":false/);
  assert.equal((await first.api("POST", "/repos", { name: "one" })).status, 201);
  first.kill("SIGSTOP");
  const second = await serve(t, data);
  assert.match(second.log(), /looking for 15 s if it lives/);
  // This request waits in the socket of the suspended process, which answers it first after it resumes.
  const late = first.api("POST", "/repos", { name: "late" }).catch(() => null);
  await delay(200);
  first.kill("SIGCONT");
  const [code] = await first.exit;
  assert.equal(code, 1);
  assert.match(first.said(), /could not show for \d+ s that it lives.*This process ends without writing/);
  assert.notEqual((await late)?.status, 201);
  assert.equal((await second.api("POST", "/repos", { name: "two" })).status, 201);
  /** @param {Pick<Awaited<ReturnType<typeof serve>>, "api">} service */
  const names = async (service) => (await service.api("GET", "/repos")).body.repos.map(nameOf);
  assert.deepEqual(await names(second), ["two", "one"]);
  assert.equal(await second.stop(), 0);
  const third = await serve(t, data);
  assert.deepEqual(await names(third), ["two", "one"]);
});
