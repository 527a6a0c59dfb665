// `npm run bench:service [-- --database postgres://…]`: measures one PostgreSQL, one `refsync serve --no-worker`, and 1, 2
// and 4 `refsync worker` processes. Each worker does one run at a time, and then four, which is the default. It queues
// 1,000 runs, does 1,000 syncs without changes of 200 repositories, and measures how soon a run starts.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { main, say } from "../scripts/command.mjs";
import { Member } from "../tests/soak/cluster.mjs";
import { present } from "../tests/support/present.mjs";
import { openPool } from "../tests/support/service/pool.mjs";
import { postgres } from "../tests/support/service/postgres.mjs";
import { median } from "./measure.mjs";

/**
 * @import { Pool } from "pg"
 * @typedef {{ pool: Pool, call: ReturnType<typeof caller>, url: string }} Bench
 */

const REPOSITORIES = 200;
/** Different globs make different runs of a repository. Equal ones would be joined. */
const RUNS_OF_EACH = 5;
const STARTS = 100;

await main(async () => {
  const { values } = parseArgs({ options: { database: { type: "string" } } });
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-"));
  const own = values.database ? null : await postgres();
  const database = own?.url ?? values.database ?? "";
  const pool = openPool(database);
  const upstreams = await gitServer(join(folder, "upstreams"));
  const shared = ["--data", join(folder, "data"), "--database", database];
  const server = new Member(["serve", "--port", "0", "--no-worker", ...shared]);
  /** @param {number} concurrency */
  const some = (concurrency) =>
    Array.from({ length: 4 }, () => new Member(["worker", "--concurrency", `${concurrency}`, ...shared]));
  const [single, workers] = [some(1), some(4)];
  try {
    await server.start();
    const bench = { pool, call: caller(server), url: upstreams.url };
    await prepare(bench, workers);
    for (const { runs, each } of [
      { runs: 1, each: single },
      { runs: 4, each: workers },
    ]) {
      for (const count of [1, 2, 4]) await throughput(bench, each.slice(0, count), runs);
    }
    await latency(bench, workers);
  } finally {
    await Promise.all([server, ...single, ...workers].map((member) => member.end("SIGTERM")));
    upstreams.stop();
    await pool.end();
    await own?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

/**
 * Makes the repositories, and syncs each one once. After that there is nothing to sync.
 *
 * @param {Bench} bench
 * @param {Member[]} workers
 */
async function prepare({ pool, call, url }, workers) {
  say(`${REPOSITORIES} repositories, each synced once`);
  await atOnce(REPOSITORIES, (n) =>
    call("POST", "/default/repos", { name: `r${n}`, upstream: { url: `${url}/upstream.git` } }),
  );
  await Promise.all(workers.map((worker) => worker.start()));
  await atOnce(REPOSITORIES, (n) => call("POST", `/default/r${n}/upstream/syncs`, { direction: "pull" }));
  await allEnded(pool);
  await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
}

/**
 * Queues the runs, and lets the workers do them. Each worker does this many runs at a time.
 *
 * @param {Bench} bench
 * @param {Member[]} workers
 * @param {number} atATime
 */
async function throughput({ pool, call }, workers, atATime) {
  const runs = REPOSITORIES * RUNS_OF_EACH;
  const queueing = performance.now();
  await atOnce(runs, (n) => {
    const ref_globs = { branches: "*", tags: `v${Math.floor(n / REPOSITORIES)}*` };
    return call("POST", `/default/r${n % REPOSITORIES}/upstream/syncs`, { direction: "pull", ref_globs });
  });
  const queued = (performance.now() - queueing) / 1000;
  await Promise.all(workers.map((worker) => worker.start()));
  const [working, before] = [performance.now(), busy()];
  await allEnded(pool);
  const worked = (performance.now() - working) / 1000;
  const used = busy() - before;
  const cores = `${(used / worked).toFixed(1)} of ${cpus().length} cores busy, ${((used / runs) * 1000).toFixed(1)} ms of CPU a run`;
  await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
  const what = `${runs} runs queued in ${queued.toFixed(2)} s; workers: ${workers.length}, runs at a time in each: ${atATime}`;
  report(`${what}; ended in ${worked.toFixed(1)} s, ${(runs / worked).toFixed(1)} a second, ${cores}`);
}

/** How many seconds the cores of this machine have worked, for any process. */
function busy() {
  const worked = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return worked.reduce((sum, milliseconds) => sum + milliseconds) / 1000;
}

/**
 * Measures the time from the row, which is written shortly before the 201, to the status in_progress.
 *
 * @param {Bench} bench
 * @param {Member[]} workers
 */
async function latency({ pool, call }, workers) {
  await Promise.all(workers.map((worker) => worker.start()));
  /** @type {number[]} */
  const waits = [];
  for (let n = 0; n < STARTS; n += 1) {
    const { id } = await call("POST", `/default/r${n}/upstream/syncs`, { direction: "pull" });
    await allEnded(pool);
    const { rows } = await pool.query(
      "SELECT extract(epoch FROM started_at - created_at)::float8 * 1000 AS wait FROM refsync.syncs WHERE id = $1",
      [id],
    );
    waits.push(rows[0].wait);
  }
  waits.sort((a, b) => a - b);
  const most = waits[Math.floor(STARTS * 0.95)] ?? Number.NaN;
  report(
    `from queued to in_progress, ${STARTS} runs: median ${median(waits).toFixed(0)} ms, 95 of 100 within ${most.toFixed(0)} ms`,
  );
}

/** @param {Pool} pool */
async function allEnded(pool) {
  for (;;) {
    const text = "SELECT count(*)::int AS open FROM refsync.syncs WHERE status IN ('queued', 'in_progress')";
    const { rows } = await pool.query(text);
    if (rows[0].open === 0) break;
    await delay(20);
  }
  const { rows } = await pool.query("SELECT count(*)::int AS failed FROM refsync.syncs WHERE status = 'failed'");
  if (rows[0].failed > 0) throw new Error(`${rows[0].failed} runs failed`);
}

/** @param {Member} server */
function caller(server) {
  const { url, api_key: apiKey } = present(server.first);
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<import("../tests/support/json.mjs").Json>}
   */
  return async (method, path, body) => {
    const response = await fetch(`${url}/v1${path}`, { method, headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
}

/**
 * Calls `body` with 0 to `count` - 1, sixteen at a time.
 *
 * @param {number} count
 * @param {(n: number) => Promise<unknown>} body
 */
async function atOnce(count, body) {
  let next = 0;
  const lane = async () => {
    while (next < count) await body(next++);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

/**
 * Makes an upstream with ten branches and ten tags, served by `git http-backend` in a process of its own.
 *
 * @param {string} folder
 */
async function gitServer(folder) {
  const path = join(folder, "upstream.git");
  mkdirSync(path, { recursive: true });
  /** @param {string[]} args */
  const git = (...args) => execFileSync("git", ["-C", path, ...args], { encoding: "utf8" }).trim();
  git("init", "--quiet", "--bare", "--template=", "--initial-branch=main");
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const tree = execFileSync("git", ["-C", path, "mktree"], { input: "", encoding: "utf8" }).trim();
  const commit = git(...identity, "commit-tree", "-m", "one", tree);
  for (let n = 0; n < 10; n += 1) {
    git("update-ref", `refs/heads/b${n}`, commit);
    git("update-ref", `refs/tags/v${n}`, commit);
  }
  const child = spawn(process.execPath, [fileURLToPath(new URL("git-server.mjs", import.meta.url)), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {string[]} */
  const [url = ""] = await once(createInterface({ input: child.stdout }), "line");
  return { url, stop: () => child.kill() };
}

/** @param {string} line */
function report(line) {
  process.stdout.write(`${line}\n`);
}
