// `npm run bench:queue [-- --scale 0.1 --seconds 5]`: the queue's statements on a real PostgreSQL with 100,000 repositories
// of 50 organisations and 4,000,000 runs that have ended, next to `pgbench -N` on the same server. Prints a table.
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { openPostgres } from "refsync/node";

import { main, say } from "../../scripts/command.mjs";
import { openPool } from "../../tests/support/service/pool.mjs";
import { postgres } from "../../tests/support/service/postgres.mjs";
import { median } from "../measure.mjs";
import { claimRate, claimTime } from "./claims.mjs";
import { backlog, instantService, makeData, scaled } from "./data.mjs";
import { daysOfRuns } from "./days.mjs";
import { bytesOfRun, deliveryTime, outbox, scheduleRate, statementTime } from "./others.mjs";
import { pgbench } from "./pgbench.mjs";
import { fourProcesses } from "./processes.mjs";
import { buffers, claimKeys } from "./statements.mjs";

/**
 * @import { Pool } from "pg"
 * @import { Database } from "refsync/service"
 * @typedef {[measure: string, limit: string, value: string]} Row
 */

await main(async () => {
  const { values } = parseArgs({ options: { scale: { type: "string" }, seconds: { type: "string" } } });
  const scale = Number(values.scale ?? 1);
  const seconds = Number(values.seconds ?? 5);
  const size = scaled(scale);
  const server = await postgres({ shared_buffers: "1GB", max_wal_size: "8GB" });
  const pool = openPool(server.url);
  const database = await openPostgres(server.url);
  try {
    await instantService(database).migrate();
    say(`${size.repositories} repositories, ${size.finished} runs that have ended`);
    await makeData(pool, size);
    say("bytes of a run");
    // First, because the other measures leave free space.
    const bytes = await bytesOfRun(pool, database, 25 * Math.round(Math.min(size.repositories / 2, 20_000) / 25));
    const rows = [
      .../** @type {Row[]} */ ([["bytes of a run without a change, with its events", "400", bytes.toFixed(0)]]),
      ...(await claims(pool, { url: server.url, scale })),
      ...(await others(pool, database, { repositories: size.repositories, seconds })),
      ...(await together(pool, { url: server.url, repositories: size.repositories, scale, seconds })),
    ];
    const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, Node ${process.versions.node}`;
    process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}; scale ${scale}\n\n`);
    process.stdout.write(table([["measure", "limit", "measured"], ["---", "---", "---"], ...rows]));
  } finally {
    await database.close();
    await pool.end();
    await server.stop();
  }
});

/**
 * Claims at each length of the queue. `pgbench` runs before and after the claimers of each, because other work on the
 * machine changes both.
 *
 * @param {Pool} pool
 * @param {{ url: string, scale: number }} options
 */
async function claims(pool, { url, scale }) {
  /** @type {Row[]} */
  const rows = [];
  for (const full of [0, 1_000, 10_000, 100_000]) {
    const count = Math.round(full * scale);
    say(`claims at ${count} queued runs`);
    await backlog(pool, count);
    const read = await buffers(pool, "queue_claim", claimKeys());
    const time = await claimTime(pool, count === 0 ? 200 : Math.min(200, count / 4));
    add(rows, [`claim at ${count} queued: median ms`, "2", `${time.toFixed(2)} (${read} buffers)`]);
    // The sessions of four claimers would mostly plan.
    if (count > 0 && count < 500) continue;
    const rounds = [];
    for (let round = 0; round < 3; round += 1) {
      await backlog(pool, count);
      const before = await pgbench(url, 2);
      const rate = await claimRate(url, count);
      const tps = (before + (await pgbench(url, 2))) / 2;
      rounds.push({ rate, tps, ratio: rate / tps });
    }
    const [rate, tps, ratio] = [
      median(rounds.map((round) => round.rate)),
      median(rounds.map((round) => round.tps)),
      median(rounds.map((round) => round.ratio)),
    ];
    add(rows, [
      `claims a second of four claimers at ${count} queued`,
      "≥ 0.5 × pgbench -N",
      `${rate.toFixed(0)}; pgbench -N ${tps.toFixed(0)}; ${ratio.toFixed(2)} ×`,
    ]);
  }
  return rows;
}

/**
 * @param {Pool} pool
 * @param {Database} database
 * @param {{ repositories: number, seconds: number }} options
 */
async function others(pool, database, { repositories, seconds }) {
  /** @type {Row[]} */
  const rows = [];
  say("schedules");
  const schedules = await scheduleRate(pool, database, { due: repositories, seconds });
  add(rows, ["schedules taken up a second by one process", "≥ 1,000", schedules.toFixed(0)]);
  say("webhook deliveries");
  for (const subjects of [1, repositories]) {
    await outbox(pool, { count: repositories, others: 200, subjects });
    const time = await deliveryTime(pool);
    const of = subjects === 1 ? "one sync" : "as many syncs";
    add(rows, [`webhook claim with ${repositories} deliveries of ${of} in front: median ms`, "2", time.toFixed(2)]);
  }
  add(rows, [
    "metrics with these deliveries: median ms",
    "5",
    (await statementTime(pool, "metrics", () => ({ exact: 5000 }))).toFixed(2),
  ]);
  const { rows: orgs } = await pool.query("SELECT id FROM refsync.organizations ORDER BY slug LIMIT 1");
  const keys = { org_id: orgs[0].id, after: null, limit: 50, tags: { team: "none" }, max_bytes: 1_000_000 };
  const list = await statementTime(pool, "repo_list", () => keys);
  add(rows, ["repositories by a tag that nothing has: median ms", "–", list.toFixed(2)]);
  return rows;
}

/**
 * Processes that work together, and a table over days.
 *
 * @param {Pool} pool
 * @param {{ url: string, repositories: number, scale: number, seconds: number }} options
 */
async function together(pool, { url, repositories, scale, seconds }) {
  say("four processes");
  const { rate, queued, due } = await fourProcesses(pool, { url, due: repositories, seconds: 4 * seconds });
  say("days");
  const perDay = Math.round(288_000 * scale);
  const sizes = await daysOfRuns(pool, perDay);
  /** @type {Row[]} */
  const rows = [
    [`four processes, ${repositories} schedules due: runs ended a second`, "≥ 300", rate.toFixed(0)],
    [`the same: queued runs and due schedules after ${4 * seconds} s`, "bounded", `${queued} and ${due}`],
    [
      `${perDay} runs a day, kept for a day: MB after 1, 2, 3, 4 days`,
      "bounded",
      sizes.map((bytes) => (bytes / 1e6).toFixed(1)).join(", "),
    ],
  ];
  return rows;
}

/**
 * Adds a row, and prints it at once: the whole takes minutes.
 *
 * @param {Row[]} rows
 * @param {Row} row
 */
function add(rows, row) {
  say(`${row[0]}: ${row[2]}`);
  rows.push(row);
}

/** @param {string[][]} rows */
function table(rows) {
  return rows.map((row) => `| ${row.join(" | ")} |\n`).join("");
}
