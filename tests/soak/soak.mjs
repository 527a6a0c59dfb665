// Rounds of syncs in which a random process is killed at a random moment. At the end there is a verdict.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { listen } from "../support/network/listen.mjs";
import { present } from "../support/present.mjs";
import { startCluster } from "./cluster.mjs";
import { advance, git, serveUpstreams } from "./upstreams.mjs";
import { misdelivered, overlapping, takeovers, unfinished } from "./verdict.mjs";

/**
 * @import { SyncRun } from "refsync"
 * @import { Cluster } from "./cluster.mjs"
 * @import { Events, Kill, Told } from "./verdict.mjs"
 *
 * @typedef {Awaited<ReturnType<typeof serveUpstreams>>} Upstreams
 * @typedef {Awaited<ReturnType<typeof receive>>} Receiver
 * @typedef {{ id: string, run: SyncRun }} EventRow
 */

/**
 * @typedef {object} Soak
 * @property {number} rounds
 * @property {string | undefined} [database]
 * @property {{ asked: boolean }} [stop]
 * @property {(line: string) => void} [say]
 */

/**
 * A repository and its changed branches. `turn` is its last change.
 *
 * @typedef {object} Repository
 * @property {string} id
 * @property {string} name
 * @property {string} upstream
 * @property {string} hosted
 * @property {Set<string>} used
 * @property {Promise<void>} [turn]
 */

/** How many syncs each round queues. */
const SYNCS = 50;
/** More than a round's syncs. Runs whose worker died wait for their lease, and must not block all others. */
const REPOSITORIES = 80;
/** As many webhook targets. A delivery of a killed process waits for its lease too, and blocks only its own target. */
const TARGETS = 16;

/**
 * Does `rounds` rounds on PGlite or, with `database`, on that PostgreSQL. Its schema `refsync` must not exist. Returns the
 * counts and the `violations`, which must be empty. `stop.asked` ends the soak after the present round.
 *
 * @param {Soak} options
 */
export async function soak({ rounds, database, stop = { asked: false }, say = () => {} }) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-soak-"));
  const data = join(folder, "data");
  const receiver = await receive();
  /** @type {Cluster | null} */
  let cluster = null;
  const upstreams = await serveUpstreams(join(folder, "upstreams"), () => cluster?.pids() ?? []);
  try {
    cluster = await startCluster({ data, database });
    const repositories = await prepare(cluster, { folder, data, upstreams, receiver });
    /** @type {Set<string>} */
    const answered = new Set();
    /** @type {Kill[]} */
    const kills = [];
    for (let round = 1; round <= rounds && !stop.asked; round += 1) {
      kills.push(await oneRound(cluster, repositories, answered));
      // Runs and webhooks of a killed process wait for their lease. The next round need not wait for them.
      await receiver.until(answered, { open: SYNCS / 2, patience: 5_000 });
      say(`round ${round}: ${answered.size} syncs, ${answered.size - receiver.ended.size} not told to have ended`);
    }
    await receiver.until(answered, { open: 0, patience: 180_000 });
    // Later webhooks of the same runs. A process that did not know of their arrival sent them again.
    await delay(1_000);
    await cluster.stop();
    const events = await eventsOf({ data, database });
    const names = new Map(repositories.map(({ id, name }) => [id, name]));
    const waits = takeovers(events, kills, { log: upstreams.log, names });
    return {
      rounds: kills.length,
      syncs: answered.size,
      attempts: [...events.values()].flat().filter(({ status }) => status === "in_progress").length,
      deliveries: receiver.deliveries.length,
      requests: upstreams.log.length,
      askers: upstreams.log.filter(({ asker }) => asker !== null).length,
      lostWorkers: waits.length,
      longestTakeover: waits.at(-1) ?? 0,
      violations: [
        ...unfinished(answered, events),
        ...misdelivered(events, receiver.deliveries),
        ...overlapping(upstreams.log),
        ...(await different(repositories)),
        ...waits.filter((wait) => wait > 45_000).map((wait) => `a run whose worker died waited ${wait} ms`),
      ],
      said: cluster.said(),
    };
  } finally {
    await cluster?.stop();
    upstreams.close();
    receiver.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Makes the upstreams, and the repositories that pull from them and push to them.
 *
 * @param {Cluster} cluster
 * @param {{ folder: string, data: string, upstreams: Upstreams, receiver: Receiver }} place
 * @returns {Promise<Repository[]>}
 */
async function prepare(cluster, { folder, data, upstreams, receiver }) {
  await mkdir(join(folder, "upstreams"), { recursive: true });
  /** @type {Repository[]} */
  const repositories = [];
  for (let n = 0; n < REPOSITORIES; n += 1) {
    const name = `r${n}`;
    const upstream = join(folder, "upstreams", `${name}.git`);
    await git(folder, ["init", "--quiet", "--bare", "--template=", upstream]);
    const { id } = await cluster.call("POST", "/default/repos", { name, upstream: { url: upstreams.url(name) } });
    repositories.push({ id, name, upstream, hosted: join(data, "repositories", `${id}.git`), used: new Set() });
  }
  for (let target = 0; target < TARGETS; target += 1) {
    await cluster.call("POST", "/default/webhook-targets", {
      url: receiver.url,
      events: ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed"],
      repo_ids: repositories.filter((_, n) => n % TARGETS === target).map(({ id }) => id),
    });
  }
  return repositories;
}

/**
 * Queues syncs of changed repositories, and kills a process during that. Returns the process and the time.
 *
 * @param {Cluster} cluster
 * @param {Repository[]} repositories
 * @param {Set<string>} answered
 */
async function oneRound(cluster, repositories, answered) {
  const victim = present(cluster.members[Math.floor(Math.random() * cluster.members.length)]);
  const killing = delay(Math.random() * 3_000).then(() => cluster.kill(victim));
  /** @param {("pull" | "push")[]} syncs */
  const lane = async (syncs) => {
    for (const direction of syncs) {
      const repository = present(repositories[Math.floor(Math.random() * repositories.length)]);
      const branch = direction === "pull" ? "main" : "local";
      await changed(repository, branch);
      const body = { direction, ref_globs: { branches: branch } };
      answered.add((await cluster.call("POST", `/default/${repository.name}/upstream/syncs`, body)).id);
    }
  };
  const directions = Array.from({ length: SYNCS }, () => (Math.random() < 0.6 ? "pull" : "push"));
  await Promise.all([0, 1, 2, 3].map((at) => lane(directions.filter((_, n) => n % 4 === at))));
  const { kill, restarted } = await killing;
  await restarted;
  return kill;
}

/**
 * Makes a new commit on the side that a sync of this branch reads. Each repository has one change at a time.
 *
 * @param {Repository} repository
 * @param {string} branch
 */
async function changed(repository, branch) {
  repository.used.add(branch);
  const side = branch === "main" ? repository.upstream : repository.hosted;
  const turn = (repository.turn ?? Promise.resolve()).then(() => advance(side, branch, `${Math.random()}`));
  repository.turn = turn;
  await turn;
}

/**
 * The branches that differ between both sides.
 *
 * @param {Repository[]} repositories
 */
async function different(repositories) {
  const violations = [];
  for (const { name, upstream, hosted, used } of repositories) {
    for (const branch of used) {
      const tips = await Promise.all(
        [upstream, hosted].map((side) => git(side, ["for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`])),
      );
      if (!tips[0] || tips[0] !== tips[1]) violations.push(`${name} ${branch}: ${tips.join(" and ")}`);
    }
  }
  return violations;
}

/**
 * The statuses of each run in order, read from the database when no process uses it.
 *
 * @param {{ data: string, database: string | undefined }} where
 * @returns {Promise<Events>}
 */
async function eventsOf({ data, database }) {
  const text = `SELECT s.id, jsonb_build_object('repo_id', s.repo_id, 'error', s.error) || e.run AS run
    FROM refsync.syncs s, jsonb_array_elements(refsync.run_events(s)) WITH ORDINALITY e (run, place) ORDER BY s.id, e.place`;
  const rows = database ? await fromPostgres(database, text) : await fromFolder(join(data, "database"), text);
  /** @type {Events} */
  const events = new Map();
  for (const { id, run } of rows) events.set(id, [...(events.get(id) ?? []), run]);
  return events;
}

/**
 * @param {string} connectionString
 * @param {string} text
 * @returns {Promise<EventRow[]>}
 */
async function fromPostgres(connectionString, text) {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

/**
 * @param {string} folder
 * @param {string} text
 * @returns {Promise<EventRow[]>}
 */
async function fromFolder(folder, text) {
  const { PGlite } = await import("@electric-sql/pglite");
  const database = await PGlite.create(folder);
  const { rows } = await database.query(text);
  await database.close();
  return /** @type {EventRow[]} */ (rows);
}

/** A webhook receiver that runs longer than every process. */
async function receive() {
  /** @type {Told[]} */
  const deliveries = [];
  /** @type {Set<string>} */
  const ended = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, type, data } = JSON.parse(Buffer.concat(chunks).toString());
    deliveries.push({ id, type, sync: data.sync });
    if (type === "sync.completed" || type === "sync.failed") ended.add(data.sync.id);
    response.writeHead(204).end();
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/`,
    deliveries,
    ended,
    /**
     * Waits until webhooks have reported the end of all but `open` of these runs, or until `patience` milliseconds have
     * passed.
     *
     * @param {Set<string>} answered
     * @param {{ open: number, patience: number }} limit
     */
    async until(answered, { open, patience }) {
      for (const until = Date.now() + patience; Date.now() < until; await delay(100)) {
        const left = [...answered].filter((id) => !ended.has(id)).length;
        if (left <= open) return;
      }
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
