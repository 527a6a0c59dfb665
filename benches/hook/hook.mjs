// `npm run bench:hook [-- --repositories 200 --calls 5000 --seconds 10]`: measures the time from a hook's call to the moved ref at
// the destination, and how many runs a storm of calls makes. `refsync serve` with the embedded database, `git http-backend` as the
// upstreams' host, and this process each have processes of their own.
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { isMain, main, say } from "../../scripts/command.mjs";
import { Member } from "../../tests/soak/cluster.mjs";
import { present } from "../../tests/support/present.mjs";

/**
 * @import { Json } from "../../tests/support/json.mjs"
 *
 * @typedef {object} Hooked A repository with a hook.
 * @property {string} name
 * @property {string} id
 * @property {string} url
 * @property {string} secret
 * @property {string} commit The commit that its upstream gets next.
 *
 * @typedef {object} Storm
 * @property {number} repositories
 * @property {number} answered How many calls were answered with 200.
 * @property {number} seconds
 * @property {number} mostQueued The most runs that waited in the queue at the same time.
 * @property {number} mostRuns The most runs of one repository.
 */

/**
 * Does all measurements.
 *
 * @param {{ repositories: number, calls: number, seconds: number }} size
 */
export async function measureHooks({ repositories, calls, seconds }) {
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-hook-"));
  const upstreams = await gitServer(join(folder, "upstreams"), repositories);
  const data = join(folder, "data");
  const server = new Member(["serve", "--port", "0", "--metrics", "--data", data]);
  try {
    await server.start();
    const { call, metric } = caller(server);
    /** @type {Hooked[]} */
    const hooked = [];
    await atOnce(repositories, async (n) => {
      const name = `r${n}`;
      const { id } = await call("POST", "/default/repos", { name, upstream: { url: `${upstreams.url}/${name}.git` } });
      await call("POST", `/default/${name}/upstream/syncs`, { direction: "pull" });
      const { url, secret } = await call("POST", `/default/${name}/upstream/hook`);
      hooked.push({ name, id, url, secret, commit: upstreams.next });
    });
    const isIdle = async () => (await metric("syncs_queued")) + (await metric("syncs_in_progress")) === 0;
    const idle = async () => {
      while (!(await isIdle())) await delay(100);
    };
    await idle();
    // The next runs start at once: none was queued in the last two seconds.
    await delay(2_000);
    const source = upstreams.fetchTimes(Math.min(repositories, 20));
    const waits = await latencies(hooked, { data, upstreams });
    await idle();
    const storms = [];
    for (const some of [hooked.slice(0, 1), hooked]) {
      await delay(2_000);
      storms.push(await storm(some, { calls, seconds, call, queued: () => metric("syncs_queued") }));
      await idle();
    }
    return { source, waits, storms };
  } finally {
    await server.end("SIGTERM");
    upstreams.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Moves `main` at each upstream, calls its hook, and waits until the ref has moved in the hosted repository; one repository after another.
 * Returns the milliseconds of each, sorted.
 *
 * @param {Hooked[]} hooked
 * @param {{ data: string, upstreams: Awaited<ReturnType<typeof gitServer>> }} where
 */
async function latencies(hooked, { data, upstreams }) {
  /** @type {number[]} */
  const waits = [];
  const one = async (/** @type {number} */ n) => {
    const hook = present(hooked[n]);
    upstreams.move(hook.name);
    const begun = performance.now();
    await push(hook);
    const ref = join(data, "repositories", `${hook.id}.git/refs/heads/main`);
    while (readFileSync(ref, "utf8").trim() !== hook.commit) {
      if (performance.now() - begun > 60_000) throw new Error(`${hook.name}: its ref did not move within a minute`);
      await delay(2);
    }
    waits.push(performance.now() - begun);
  };
  await atOnce(hooked.length, one, 1);
  return waits.sort((a, b) => a - b);
}

/**
 * Calls the hooks this often, spread over this time.
 *
 * @param {Hooked[]} hooked
 * @param {{ calls: number, seconds: number, call: ReturnType<typeof caller>["call"], queued: () => Promise<number> }} how
 * @returns {Promise<Storm>}
 */
async function storm(hooked, { calls, seconds, call, queued }) {
  const before = await Promise.all(hooked.map(({ name }) => runsOf(call, name)));
  let [answered, mostQueued, isOver] = [0, 0, false];
  const watched = (async () => {
    while (!isOver) {
      mostQueued = Math.max(mostQueued, await queued());
      await delay(50);
    }
  })();
  const begun = performance.now();
  const sent = Array.from({ length: calls }, async (_, n) => {
    await delay((n * seconds * 1000) / calls);
    if ((await push(present(hooked[n % hooked.length]))) === 200) answered += 1;
  });
  await Promise.all(sent);
  const took = (performance.now() - begun) / 1000;
  isOver = true;
  await watched;
  const after = await Promise.all(hooked.map(({ name }) => runsOf(call, name)));
  const mostRuns = Math.max(...after.map((runs, n) => runs - (before[n] ?? 0)));
  return { repositories: hooked.length, answered, seconds: took, mostQueued, mostRuns };
}

/**
 * How many runs a repository has, up to a hundred.
 *
 * @param {ReturnType<typeof caller>["call"]} call
 * @param {string} name
 */
async function runsOf(call, name) {
  /** @type {{ syncs: Json[] }} */
  const { syncs } = await call("GET", `/default/${name}/upstream/syncs?limit=100`);
  return syncs.length;
}

/**
 * Calls a hook as GitHub does, and returns the status of the answer.
 *
 * @param {Hooked} hook
 */
async function push({ url, secret, commit }) {
  const body = JSON.stringify({ ref: "refs/heads/main", after: commit });
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = { "content-type": "application/json", "x-github-event": "push", "x-hub-signature-256": signature };
  const response = await fetch(url, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** @param {Member} server */
function caller(server) {
  const { url, api_key: apiKey } = present(server.first);
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  return {
    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @returns {Promise<Json>}
     */
    async call(method, path, body) {
      const response = await fetch(`${url}/v1${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
      return answer;
    },
    /** @param {string} name */
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(present(new RegExp(`^refsync_${name} (\\d+)$`, "m").exec(text))[1]);
    },
  };
}

/**
 * Calls `body` with 0 to `count` - 1, this many at a time.
 *
 * @param {number} count
 * @param {(n: number) => Promise<unknown>} body
 */
async function atOnce(count, body, lanes = 8) {
  let next = 0;
  const lane = async () => {
    while (next < count) await body(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * Makes this many upstreams with two commits, of which `main` has the first, served by `git http-backend` in a process of its own.
 *
 * @param {string} folder
 * @param {number} count
 */
async function gitServer(folder, count) {
  mkdirSync(folder, { recursive: true });
  /**
   * @param {string} name
   * @param {string[]} args
   */
  const git = (name, ...args) =>
    execFileSync("git", ["-C", join(folder, `${name}.git`), ...args], { encoding: "utf8" }).trim();
  execFileSync("git", ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", join(folder, "r0.git")]);
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const tree = execFileSync("git", ["-C", join(folder, "r0.git"), "mktree"], { input: "", encoding: "utf8" }).trim();
  const first = git("r0", ...identity, "commit-tree", "-m", "one", tree);
  const next = git("r0", ...identity, "commit-tree", "-m", "two", "-p", first, tree);
  git("r0", "update-ref", "refs/heads/main", first);
  for (let n = 1; n < count; n += 1) execFileSync("cp", ["-r", join(folder, "r0.git"), join(folder, `r${n}.git`)]);
  const child = spawn(process.execPath, [fileURLToPath(new URL("../git-server.mjs", import.meta.url)), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {string[]} */
  const [url = ""] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url,
    next,
    /** @param {string} name */
    move: (name) => git(name, "update-ref", "refs/heads/main", next, first),
    /**
     * The milliseconds that Git itself needs to fetch `main` from the host into an empty repository, several times, sorted.
     *
     * @param {number} times
     */
    fetchTimes(times) {
      const taken = Array.from({ length: times }, (_, n) => {
        const into = join(folder, `fetch-${n}`);
        execFileSync("git", ["init", "--quiet", "--bare", "--template=", into]);
        const begun = performance.now();
        execFileSync("git", ["-C", into, "fetch", "--quiet", `${url}/r${n}.git`, "main:main"]);
        return performance.now() - begun;
      });
      return taken.sort((a, b) => a - b);
    },
    stop: () => child.kill(),
  };
}

/**
 * The value below which this part of the sorted values is.
 *
 * @param {number[]} sorted
 * @param {number} part
 */
export function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = /** @type {const} */ ({
      repositories: { type: "string", default: "200" },
      calls: { type: "string", default: "5000" },
      seconds: { type: "string", default: "10" },
    });
    const { values } = parseArgs({ options });
    const [repositories, calls, seconds] = [values.repositories, values.calls, values.seconds].map(Number);
    if (!repositories || !calls || !seconds) throw new Error("each option is a number above 0");
    say(`${repositories} repositories`);
    const { source, waits, storms } = await measureHooks({ repositories, calls, seconds });
    const ms = (/** @type {number[]} */ sorted, /** @type {number} */ part) =>
      `${quantile(sorted, part).toFixed(0)} ms`;
    const lines = [
      `git fetch from the source: p50 ${ms(source, 0.5)}`,
      `from the hook's call to the moved ref, ${waits.length} repositories: p50 ${ms(waits, 0.5)}, p99 ${ms(waits, 0.99)}`,
      ...storms.map(
        (s) =>
          `${calls} calls in ${s.seconds.toFixed(1)} s for ${s.repositories} repositories: ${s.answered} answered with 200, at most ${s.mostQueued} runs in the queue at once, at most ${s.mostRuns} runs of a repository`,
      ),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  });
}
