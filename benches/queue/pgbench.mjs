// What PostgreSQL's own benchmark does on the same server.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { postgresBin } from "../../scripts/tools.mjs";

const exec = promisify(execFile);

/**
 * The transactions a second of `pgbench -N` with four clients.
 *
 * @param {string} url
 * @param {number} seconds
 */
export async function pgbench(url, seconds) {
  const program = join(postgresBin() ?? "", "pgbench");
  await exec(program, ["--initialize", "--quiet", "--scale=10", url]);
  return transactions(url, ["--skip-some-updates", `--time=${seconds}`]);
}

/**
 * How often a second four clients of pgbench run a statement, which has no parameters. The first ten times of each client do not count:
 * its session plans the statement then.
 *
 * @param {string} url
 * @param {string} text
 * @param {{ seconds: number } | { each: number }} until `each`: how often each client runs it
 */
export async function statementRate(url, text, until) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-pgbench-"));
  try {
    const file = join(folder, "statement.sql");
    // pgbench would read `:name` as a variable.
    await writeFile(file, `${text.replaceAll("::", " :: ")};\n`);
    const end = "seconds" in until ? `--time=${until.seconds}` : `--transactions=${until.each}`;
    await transactions(url, ["--no-vacuum", `--file=${file}`, "--log", `--log-prefix=${join(folder, "log")}`, end]);
    return rateOf(await logged(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * When each client's transactions ended, in seconds.
 *
 * @param {string} folder
 */
async function logged(folder) {
  /** @type {Map<string, number[]>} */
  const clients = new Map();
  for (const name of (await readdir(folder)).filter((name) => name.startsWith("log."))) {
    for (const line of (await readFile(join(folder, name), "utf8")).trimEnd().split("\n")) {
      const [client = "", , , , seconds, microseconds] = line.split(" ");
      const ends = clients.get(client) ?? [];
      clients.set(client, ends);
      ends.push(Number(seconds) + Number(microseconds) / 1e6);
    }
  }
  return [...clients.values()];
}

/**
 * The transactions a second while all clients worked and none was new.
 *
 * @param {number[][]} clients
 */
function rateOf(clients) {
  const from = Math.max(...clients.map((ends) => ends[Math.min(9, ends.length - 2)] ?? 0));
  const until = Math.min(...clients.map((ends) => ends.at(-1) ?? 0));
  const counted = clients.flat().filter((end) => end > from && end <= until);
  return counted.length / (until - from);
}

/**
 * @param {string} url
 * @param {string[]} flags
 */
async function transactions(url, flags) {
  const program = join(postgresBin() ?? "", "pgbench");
  const { stdout } = await exec(program, [...flags, "--client=4", "--jobs=2", "--protocol=prepared", url]);
  const [, tps] = /tps = ([\d.]+)/.exec(stdout) ?? [];
  if (tps === undefined) throw new Error(`pgbench: its output has no tps: ${stdout}`);
  return Number(tps);
}
