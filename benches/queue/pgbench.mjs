// What PostgreSQL's own benchmark does on the same server.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
 * How often a second four clients of pgbench run a statement, which has no parameters.
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
    return await transactions(url, ["--no-vacuum", `--file=${file}`, end]);
  } finally {
    await rm(folder, { recursive: true });
  }
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
