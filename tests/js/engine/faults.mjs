/**
 * Random faults between the engine and two real `git http-backend`s: A connection is cut, stalled, slowed or filled with
 * garbage at a random byte of either direction. A server answers early or sends a wrong length. After each fault, Git
 * checks the result.
 */

import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { SyncError, sync } from "../../../pkg/dist/engine.js";
import { gitHttpBackend, guardedFetch, serve } from "../../../pkg/dist/node.js";
import { byName, git } from "../../support/git/git.mjs";
import { grow } from "../../support/git/history.mjs";
import { faultyLine, lineFaults } from "./faulty-line.mjs";

/**
 * @import { SyncRunStats } from "refsync/engine"
 * @import { GitHost } from "refsync/service"
 * @import { FaultyLine, LineFault, Random } from "./faulty-line.mjs"
 *
 * @typedef {typeof serverFaults[number]} ServerFault
 * @typedef {ServerFault | LineFault} Kind
 * @typedef {"empty" | "behind"} Start
 * @typedef {"done" | "failed"} Ending
 * @typedef {Record<string, string>} Refs Ids by name.
 * @typedef {{ up: number, down: number }} Bytes
 * @typedef {{ kind: ServerFault, repository: string, requests: number, status: number, by: number }} Spoilt
 * @typedef {{ fault: Spoilt | null }} Server
 * @typedef {{ stats?: SyncRunStats, error?: Error, hung?: boolean }} Result
 */

/**
 * @typedef {object} World
 * @property {string} root
 * @property {(name: string) => string} folder
 * @property {Server} server
 * @property {string[]} complaints
 * @property {{ source: FaultyLine, destination: FaultyLine }} lines
 * @property {(port: number, name: string) => string} url
 * @property {number} clean The port without a faulty line.
 * @property {Record<Start, { source: Bytes, destination: Bytes }>} usual
 * @property {Refs} upstream
 * @property {() => Promise<void>} remove
 */

const serverFaults = /** @type {const} */ (["early", "too long", "too short"]);
/** How long a remote may be silent, and how long a sync with a silent remote may take at most. */
const stallTimeout = 3000;
const longest = 60_000;

/**
 * Random numbers below a bound. The same seed gives the same numbers (mulberry32).
 *
 * @param {number} seed
 * @returns {Random}
 */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/**
 * Runs rounds until this many faults have happened. The first round uses `seed`. Throws if a round ends wrong, with the
 * seed that repeats it. Resolves to the number of each ending for each fault. A round that ends before its fault is not
 * counted.
 *
 * @param {{ rounds: number, seed?: number, onRound?: (n: number, fault: Kind, ending: Ending) => void }} options
 */
export async function faults({ rounds, seed = 1, onRound = () => {} }) {
  const world = await build();
  try {
    /** @type {Record<string, Partial<Record<Ending, number>>>} */
    const tally = {};
    for (let n = 0, next = seed; n < rounds; next++) {
      world.complaints.length = 0;
      const { fault, ending, happened } = await round(world, next).catch((error) => {
        throw new Error([`seed ${next}: ${error.message}`, ...world.complaints].join("\n"), { cause: error });
      });
      if (!happened) continue;
      n += 1;
      tally[fault] ??= {};
      tally[fault][ending] = (tally[fault][ending] ?? 0) + 1;
      onRound(n, fault, ending);
    }
    return tally;
  } finally {
    await world.remove();
  }
}

/**
 * Makes repositories, their server, and a faulty line to each side. Also counts the bytes of a sync without faults.
 *
 * @returns {Promise<World>}
 */
async function build() {
  const root = await mkdtemp(join(tmpdir(), "refsync-faults-"));
  const backend = gitHttpBackend({ root });
  /** @param {string} name */
  const folder = (name) => join(root, `${name}.git`);
  for (const name of ["upstream", "empty", "behind"]) await backend.create(name, "main");
  await grow(folder("upstream"), 220);
  await git(folder("upstream"), "repack", "-adq");
  // It has the first half of the history, and its own version of a branch that the upstream also has.
  await git(
    folder("behind"),
    "fetch",
    "-q",
    folder("upstream"),
    "refs/tags/v1.0:refs/heads/main",
    "v1.0:refs/tags/v1.0",
  );
  const tree = await git(folder("behind"), "rev-parse", "main^{tree}");
  const ours = await git(folder("behind"), "commit-tree", tree, "-p", "main~3", "-m", "ours");
  await git(folder("behind"), "update-ref", "refs/heads/release/1", ours);

  /** @type {Server} */
  const server = { fault: null };
  // The server complains about the broken requests of a fault. That is expected, unless the round ends wrong.
  /** @type {string[]} */
  const complaints = [];
  /** @param {string} line */
  const onError = (line) => void complaints.push(line);
  const listener = await serve({ service: { fetch: (request) => answer(backend, request, server) }, onError });
  const lines = { source: await faultyLine(listener.port), destination: await faultyLine(listener.port) };
  /**
   * @param {number} port
   * @param {string} name
   */
  const url = (port, name) => `http://127.0.0.1:${port}/git/${name}.git`;
  /** @type {Omit<World, "usual">} */
  const world = {
    root,
    folder,
    server,
    complaints,
    lines,
    url,
    clean: listener.port,
    upstream: await refs(folder("upstream")),
    remove: async () => {
      for (const line of Object.values(lines)) line.close();
      await listener.close(0);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  /** @param {Start} start */
  const usual = async (start) => {
    await cp(folder(start), folder("copy"), { recursive: true });
    for (const line of Object.values(lines)) line.spoil(null);
    await pull(world, "copy");
    const passed = { source: lines.source.passed(), destination: lines.destination.passed() };
    await rm(folder("copy"), { recursive: true });
    return passed;
  };
  return { ...world, usual: { empty: await usual("empty"), behind: await usual("behind") } };
}

/**
 * The server's answer, spoilt if a fault is set.
 *
 * @param {GitHost} backend
 * @param {Request} request
 * @param {Server} server
 */
async function answer(backend, request, server) {
  const url = new URL(request.url);
  url.pathname = url.pathname.replace(/^\/git/, "");
  const { fault } = server;
  const isDue = fault && url.pathname.includes(fault.repository) && fault.requests-- === 0;
  if (isDue && fault.kind === "early") {
    server.fault = null;
    return new Response("not now\n", { status: fault.status, headers: { "content-type": "text/plain" } });
  }
  const init = { method: request.method, headers: request.headers, signal: request.signal };
  const response = await backend.fetch(
    new Request(url, { ...init, body: request.body, ...(request.body && { duplex: "half" }) }),
  );
  if (!isDue) return response;
  server.fault = null;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  const lie = fault.kind === "too long" ? bytes.length + fault.by : Math.max(0, bytes.length - fault.by);
  headers.set("content-length", String(lie));
  return new Response(bytes, { status: response.status, headers });
}

/**
 * @param {Pick<World, "lines" | "url" | "clean">} world
 * @param {string} name
 * @param {{ clean?: boolean, patience?: number }} [how]
 */
async function pull(world, name, { clean = false, patience = stallTimeout } = {}) {
  const { source, destination } = world.lines;
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  try {
    return await sync({
      source: world.url(clean ? world.clean : source.port, "upstream"),
      destination: world.url(clean ? world.clean : destination.port, name),
      fetch,
      stallTimeout: clean ? longest : patience,
    });
  } finally {
    fetch.close();
  }
}

/**
 * @param {World} world
 * @param {number} seed
 */
async function round(world, seed) {
  const random = randomFrom(seed);
  /**
   * @template T
   * @param {T[]} values
   */
  const pick = (...values) => /** @type {T} */ (values[random(values.length)]);
  const name = `d${seed}`;
  /** @type {Start} */
  const start = pick("empty", "behind");
  await cp(world.folder(start), world.folder(name), { recursive: true });
  const before = await refs(world.folder(name));

  const side = pick("source", "destination");
  const kind = pick(...lineFaults, ...lineFaults, ...serverFaults);
  const serverKind = serverFaults.find((fault) => fault === kind);
  const lineKind = lineFaults.find((fault) => fault === kind);
  world.server.fault = null;
  for (const line of Object.values(world.lines)) line.spoil(null);
  if (serverKind) {
    const repository = side === "source" ? "upstream" : name;
    const status = pick(401, 403, 408, 413, 429, 500, 503, 504);
    world.server.fault = {
      kind: serverKind,
      repository,
      requests: random(2),
      status,
      by: 1 + random(3000),
    };
  } else if (lineKind) {
    const direction = pick("up", "down");
    const usual = world.usual[start][side][direction];
    // Half of the faults hit the requests and the refs, because the pack has nearly all of the bytes.
    const at = random(random(2) ? usual : Math.min(usual, 3000));
    world.lines[side].spoil({ kind: lineKind, direction, at, random });
  }

  const limit = new AbortController();
  /** @type {Result} */
  const result = await Promise.race([
    // A slow line must still succeed, also on a busy machine.
    pull(world, name, { patience: kind === "slow" ? longest : stallTimeout }).then(
      (stats) => ({ stats }),
      (error) => ({ error }),
    ),
    sleep(longest, { hung: true }, { signal: limit.signal }),
  ]);
  limit.abort();
  const what = `${kind} at the ${side} of ${start}`;
  const happened = world.server.fault === null && Object.values(world.lines).every((line) => line.wasSpoilt());
  world.server.fault = null;
  assert.ok(!result.hung, `${what}: the sync hangs`);
  await cleared(world.folder(name), what);
  const after = await refs(world.folder(name));
  const ending = told(what, result, before, after);
  if (kind === "slow") assert.equal(ending, "done", `${what}: ${result.error}`);
  await git(world.folder(name), "fsck", "--connectivity-only", "--no-dangling");
  await recovers(world, name, before, what);
  await rm(world.folder(name), { recursive: true, force: true, maxRetries: 5 });
  return { fault: kind, ending, happened };
}

/**
 * Checks that the outcome agrees with Git.
 *
 * @param {string} what
 * @param {Result} result
 * @param {Refs} before
 * @param {Refs} after
 * @returns {Ending}
 */
function told(what, { stats, error }, before, after) {
  if (error) {
    assert.ok(error instanceof SyncError, `${what}: ${error.stack}`);
    assert.match(error.message, /^(source|destination): (list the refs of|fetch from|push to) /, what);
    assert.deepEqual(after, before, `${what}: it says that it failed (${error.message}), and refs have moved`);
    return "failed";
  }
  const expected = { ...before };
  assert.ok(stats, `${what}: it gives neither stats nor an error`);
  for (const ref of stats.refs) {
    if (/^0+$/.test(ref.after)) delete expected[ref.name];
    else expected[ref.name] = ref.after;
    assert.equal(ref.before, before[ref.name] ?? null, `${what}: ${ref.name} before`);
  }
  assert.deepEqual(after, expected, `${what}: the stats say otherwise`);
  return "done";
}

/**
 * Checks that the next sync, without faults, does the rest of the work.
 *
 * @param {World} world
 * @param {string} name
 * @param {Refs} before
 * @param {string} what
 */
async function recovers(world, name, before, what) {
  await pull(world, name, { clean: true });
  const expected = { ...before, ...world.upstream };
  if (before["refs/heads/release/1"]) expected["refs/heads/release/1"] = before["refs/heads/release/1"];
  assert.deepEqual(await refs(world.folder(name)), expected, `${what}: the next sync`);
  await cleared(world.folder(name), `${what}, the next sync`);
}

/**
 * Git may need a moment to clean up after a broken push. After that, no files of the push remain.
 *
 * @param {string} folder
 * @param {string} what
 */
async function cleared(folder, what) {
  /** @type {string[]} */
  let left = [];
  for (let n = 0; n < 300; n++) {
    // Git may remove files while the test looks.
    const files = await readdir(folder, { recursive: true }).catch((error) => [`incoming: ${error.message}`]);
    left = files.filter((file) => /tmp_|incoming|\.lock$/.test(file));
    if (left.length === 0) return;
    await sleep(100);
  }
  assert.deepEqual(left, [], `${what}: left behind`);
}

/** @param {string} folder */
async function refs(folder) {
  const listed = await git(folder, "for-each-ref", "--format=%(refname) %(objectname)");
  return byName(listed);
}
