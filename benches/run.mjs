// `npm run bench [-- --repo PATH…] [--rounds N] [--write]`: everybody does the same work, turn about, in one run.
// Medians, the limits, and whether they were met. `--write` puts the tables into the README.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { main, root, StepError, say } from "../scripts/command.mjs";
import { contestants, names } from "./contestants.mjs";
import { defaultBranch, distil, environment, git, packSize, refs, restore, rewind } from "./fixtures.mjs";
import { measure, median } from "./measure.mjs";
import { report, writeReadme } from "./report.mjs";
import { repositories } from "./repositories.mjs";
import { check, works } from "./works.mjs";

const { values: flags } = parseArgs({
  options: {
    repo: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(flags.rounds);

await main(async () => {
  if (!Number.isInteger(rounds) || rounds < 1) throw new StepError(`--rounds ${flags.rounds}: must be 1 or more`);
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-"));
  const server = await gitServer(folder);
  try {
    const results = [];
    for (const repository of await repositories(join(root, "target/bench"), flags.repo)) {
      results.push(await compared(repository, folder, server));
    }
    const text = report(results, rounds);
    process.stdout.write(text);
    if (flags.write) writeReadme(join(root, "README.md"), text);
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What everybody took on one repository: `of(work, who)` gives the medians and, in `rounds`, each turn. */
async function compared({ name, path }, folder, server) {
  const place = (id) => ({ path: join(folder, `${id}.git`), url: `${server.url}/${id}.git` });
  const at = {
    source: place("source"),
    destination: place("destination"),
    old: join(folder, "old.git"),
    kept: join(folder, "kept.git"),
    scratch: join(folder, "scratch.git"),
  };
  distil(path, at.source.path);
  git(at.source.path, "config", "uploadpack.allowFilter", "true");
  at.branch = defaultBranch(at.source.path);
  restore(at.source.path, at.scratch);
  rewind(at.scratch);
  distil(at.scratch, at.old);
  const shape = { name, refCount: refs(at.source.path).split("\n").length, packBytes: packSize(at.source.path) };
  const table = [];
  for (const work of works(shape)) {
    const costs = Object.fromEntries(work.who.map((who) => [who, []]));
    // The first round is for the caches of whoever comes first, where a round is short.
    for (let round = work.warmsUp ? -1 : 0; round < rounds; round++) {
      for (const who of inTurn(work.who, round)) {
        // Minutes, where the others take seconds: once is enough to see it.
        if (who === "isomorphic" && round > 0) continue;
        work.before(at);
        // A mirror leaves 800 MB for the disk, which whoever comes next would wait for.
        execFileSync("sync");
        await server.traffic();
        const cost = await turn(who, at, server);
        if (!cost) {
          delete costs[who];
          work.who = work.who.filter((other) => other !== who);
          continue;
        }
        check(at, work, who);
        if (round < 0) continue;
        costs[who].push(cost);
        say(`${name}, ${work.name}, ${names[who]}: ${cost.wall.toFixed(2)} s`);
      }
    }
    for (const who of work.who) table.push({ work, who, rounds: costs[who], ...medians(costs[who]) });
  }
  const of = (work, who) => table.find((row) => row.work.id === work && row.who === who);
  return { ...shape, table, of };
}

/** Everybody, beginning with another one each round: whoever is first comes after the pause, and after the slowest. */
function inTurn(who, round) {
  const first = Math.max(round, 0) % who.length;
  return [...who.slice(first), ...who.slice(0, first)];
}

/** What one contestant's turn cost; nothing where isomorphic-git could not do it. */
async function turn(who, at, server) {
  rmSync(at.scratch, { recursive: true, force: true });
  try {
    const cost = await measure(contestants[who](at), { env: environment });
    const { firstRequest, sent, received } = await server.traffic();
    return {
      ...cost,
      afterStart: (cost.end - firstRequest) / 1000,
      fromSource: sent["source.git"] ?? 0,
      toDestination: received["destination.git"] ?? 0,
    };
  } catch (error) {
    if (who !== "isomorphic") throw error;
    say(`isomorphic-git did not do it, and is left out: ${error.message.trim().split("\n").at(-1)}`);
    return null;
  } finally {
    rmSync(at.scratch, { recursive: true, force: true });
  }
}

function medians(costs) {
  const keys = ["wall", "afterStart", "cpu", "memory", "fromSource", "toDestination"];
  return Object.fromEntries(keys.map((key) => [key, median(costs.map((cost) => cost[key]))]));
}

async function gitServer(folder) {
  const child = spawn("node", [join(root, "benches/git-server.mjs"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  const traffic = async () => (await fetch(`${url}/-/traffic`)).json();
  return { url, traffic, stop: () => child.kill() };
}
