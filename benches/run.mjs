// `npm run bench [-- --repo PATH…] [--rounds N] [--catch-up] [--write]`: all contestants do the same work in turns, in one
// run. Prints medians and limits, and whether the limits were met. `--catch-up` measures only the catch-ups; `--repo`
// leaves them out. `--write` puts the tables and a picture into docs/performance.md.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { main, messageOf, root, StepError, say } from "../scripts/command.mjs";
import { caughtUp } from "./catch-up.mjs";
import { contestants, names } from "./contestants.mjs";
import { defaultBranch, distil, environment, git, packSize, refs, restore, rewind } from "./fixtures.mjs";
import { measure, median } from "./measure.mjs";
import { report, writePage } from "./report.mjs";
import { repositories } from "./repositories.mjs";
import { check, works } from "./works.mjs";

/**
 * @import { Cost, Fixture, Place, Result, Row, Traffic, Who } from "./types.mjs"
 * @typedef {Awaited<ReturnType<typeof gitServer>>} GitServer
 */

const { values: flags } = parseArgs({
  options: {
    repo: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    "catch-up": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(flags.rounds);

await main(async () => {
  if (!Number.isInteger(rounds) || rounds < 1) throw new StepError(`--rounds ${flags.rounds}: must be 1 or more`);
  if (flags["catch-up"] && flags.write)
    throw new StepError("--catch-up --write: docs/performance.md has the tables of a whole run");
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-"));
  const server = await gitServer(folder);
  try {
    const results = [];
    const catchUps = flags.repo.length > 0 ? [] : await caughtUp(folder, (id) => placeOf(id, folder, server));
    const given = flags["catch-up"] ? [] : await repositories(join(root, "target/bench"), flags.repo);
    for (const repository of given) results.push(await compared(repository, folder, server));
    const text = report(results, catchUps, rounds);
    process.stdout.write(text);
    if (flags.write) writePage(text);
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * The costs of all contestants on one repository. `of(work, who)` returns the medians and, in `rounds`, each turn.
 *
 * @param {{ name: string, path: string }} repository
 * @param {string} folder
 * @param {GitServer} server
 * @returns {Promise<Result>}
 */
async function compared({ name, path }, folder, server) {
  /** @param {string} id */
  const place = (id) => placeOf(id, folder, server);
  const source = place("source");
  distil(path, source.path);
  git(source.path, "config", "uploadpack.allowFilter", "true");
  const at = {
    source,
    destination: place("destination"),
    old: join(folder, "old.git"),
    kept: join(folder, "kept.git"),
    scratch: join(folder, "scratch.git"),
    branch: defaultBranch(source.path),
  };
  restore(at.source.path, at.scratch);
  rewind(at.scratch);
  distil(at.scratch, at.old);
  const shape = { name, refCount: refs(at.source.path).split("\n").length, packBytes: packSize(at.source.path) };
  /** @type {Row[]} */
  const table = [];
  for (const work of works(shape)) {
    const costs = new Map(work.who.map((who) => [who, /** @type {Cost[]} */ ([])]));
    // If rounds are short, the first one only fills the caches, for whichever contestant comes first.
    for (let round = work.warmsUp ? -1 : 0; round < rounds; round++) {
      for (const who of inTurn(work.who, round)) {
        // This contestant needs minutes and the others need seconds, so one round is enough.
        if (who === "isomorphic" && round > 0) continue;
        work.before(at);
        // A mirror leaves 800 MB to write to the disk. The next contestant would wait for it.
        execFileSync("sync");
        await server.traffic();
        const cost = await turn(who, at, server);
        if (!cost) {
          costs.delete(who);
          work.who = work.who.filter((other) => other !== who);
          continue;
        }
        check(at, work, who);
        if (round < 0) continue;
        costs.get(who)?.push(cost);
        say(`${name}, ${work.name}, ${names[who]}: ${cost.wall.toFixed(2)} s`);
      }
    }
    for (const [who, each] of costs) table.push({ work, who, rounds: each, ...medians(each) });
  }
  /** @type {Result["of"]} */
  const of = (work, who) => table.find((row) => row.work.id === work && row.who === who);
  return { ...shape, table, of };
}

/**
 * The places of a repository in this run.
 *
 * @param {string} id
 * @param {string} folder
 * @param {GitServer} server
 * @returns {Place}
 */
function placeOf(id, folder, server) {
  return { path: join(folder, `${id}.git`), url: `${server.url}/${id}.git` };
}

/**
 * All contestants, in an order that starts with another one each round. The first one runs after the pause, and after the
 * slowest one.
 *
 * @param {Who[]} who
 * @param {number} round
 */
function inTurn(who, round) {
  const first = Math.max(round, 0) % who.length;
  return [...who.slice(first), ...who.slice(0, first)];
}

/**
 * The cost of one contestant's turn; null if isomorphic-git could not do the work.
 *
 * @param {Who} who
 * @param {Fixture} at
 * @param {GitServer} server
 * @returns {Promise<Cost | null>}
 */
async function turn(who, at, server) {
  rmSync(at.scratch, { recursive: true, force: true });
  try {
    const cost = await measure(contestants[who](at), { env: environment });
    const { firstRequest, sent, received } = await server.traffic();
    return {
      ...cost,
      afterStart: (cost.end - (firstRequest ?? cost.end)) / 1000,
      fromSource: sent["source.git"] ?? 0,
      toDestination: received["destination.git"] ?? 0,
    };
  } catch (error) {
    if (who !== "isomorphic") throw error;
    say(`isomorphic-git did not do it, and is left out: ${messageOf(error).trim().split("\n").at(-1)}`);
    return null;
  } finally {
    rmSync(at.scratch, { recursive: true, force: true });
  }
}

/**
 * @param {Cost[]} costs
 * @returns {Cost}
 */
function medians(costs) {
  /** @param {keyof Cost} key */
  const of = (key) => median(costs.map((cost) => cost[key]));
  return {
    wall: of("wall"),
    afterStart: of("afterStart"),
    cpu: of("cpu"),
    memory: of("memory"),
    fromSource: of("fromSource"),
    toDestination: of("toDestination"),
  };
}

/** @param {string} folder */
async function gitServer(folder) {
  const child = spawn("node", [join(root, "benches/git-server.mjs"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  /** @type {string[]} */
  const [url = ""] = await once(createInterface({ input: child.stdout }), "line");
  /** @returns {Promise<Traffic>} */
  const traffic = async () => (await fetch(`${url}/-/traffic`)).json();
  return { url, traffic, stop: () => child.kill() };
}
