// `npm run bench:backup`: backs up, checks and restores a service with 200 repositories and 1,000,000 stored ref outcomes,
// on the embedded database and on PostgreSQL. Each command, including its child processes, must stay under 300 MB of
// memory. Afterwards every row and every ref must be the same, and Git must find no error.
//
// `-- --repositories N --outcomes N --runs-of N` measures a service of another size. `--runs-of` is the number of outcomes
// in each run, which decides the size of a row.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";

import { PGlite } from "@electric-sql/pglite";

import { main, root, StepError, say } from "../scripts/command.mjs";
import { Member } from "../tests/soak/cluster.mjs";
import { openPool } from "../tests/support/service/pool.mjs";
import { postgres } from "../tests/support/service/postgres.mjs";
import { measuredTree } from "./measured-tree.mjs";

/**
 * @import { Json } from "../tests/support/json.mjs"
 * @import { Measured } from "./measured-tree.mjs"
 *
 * @typedef {{ repositories: number, outcomes: number, outcomesOfRun: number }} Size
 * @typedef {Awaited<ReturnType<typeof postgres>>} Postgres
 * @typedef {Awaited<ReturnType<typeof postgresState>>} State
 */

/** Megabytes. */
export const MEMORY_LIMIT = 300;
const run = promisify(execFile);
const bin = join(root, "pkg/bin/refsync.js");

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(async () => {
    const { values } = parseArgs({
      options: { repositories: { type: "string" }, outcomes: { type: "string" }, "runs-of": { type: "string" } },
    });
    const size = {
      repositories: Number(values.repositories ?? 200),
      outcomes: Number(values.outcomes ?? 1_000_000),
      outcomesOfRun: Number(values["runs-of"] ?? 5_000),
    };
    const results = await backupAndRestore(size);
    process.stdout.write(`\n${"".padEnd(34)} seconds  peak MB  largest process MB\n`);
    for (const { name, seconds, memory, largest } of results) {
      const numbers = [seconds.toFixed(1).padStart(8), memory.toFixed(0).padStart(8), largest.toFixed(0).padStart(11)];
      process.stdout.write(`${name.padEnd(34)}${numbers.join(" ")}\n`);
    }
    const over = results.filter(({ memory }) => memory > MEMORY_LIMIT);
    if (over.length > 0) {
      throw new StepError(
        `over ${MEMORY_LIMIT} MB: ${over.map(({ name, memory }) => `${name} ${memory.toFixed(0)} MB`).join(", ")}`,
      );
    }
  });
}

/**
 * Makes a service of this size, backs it up and restores it in each way. Returns the cost of each command. Throws if the
 * restored service differs.
 *
 * @param {Size} size
 */
export async function backupAndRestore(size) {
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-backup-"));
  const [source, target] = await Promise.all([postgres(), postgres()]);
  /** @type {({ name: string } & Measured)[]} */
  const results = [];
  /**
   * @param {string} name
   * @param {string[]} args
   * @param {string} [url]
   */
  const measure = async (name, args, url) => {
    say(name);
    const env = { ...process.env, ...(url && { REFSYNC_DATABASE_URL: url }) };
    const measured = await measuredTree([process.execPath, bin, ...args], { env });
    if (measured.code !== 0) throw new StepError(`${name}: ended with ${measured.code}: ${measured.stderr}`);
    results.push({ name, ...measured });
  };
  /** @param {string} name */
  const path = (name) => join(folder, name);
  try {
    say(`making ${size.repositories} repositories and ${size.outcomes} outcomes`);
    await fill(source, path("data"), size);
    const before = await postgresState(source, path("data"));
    await measure("backup of PostgreSQL", ["backup", path("backup-1"), "--data", path("data")], source.url);
    await measure("check", ["restore", "--check", path("backup-1")]);
    await measure("restore into PGlite", ["restore", path("backup-1"), "--data", path("embedded")]);
    same("restored into PGlite", before, await embeddedState(path("embedded")));
    await measure("backup of PGlite", ["backup", path("backup-2"), "--data", path("embedded")]);
    await measure("restore into PostgreSQL", ["restore", path("backup-2"), "--data", path("other")], target.url);
    same("restored into PostgreSQL", before, await postgresState(target, path("other")));
    return results;
  } finally {
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Makes a service with this many repositories, all copies of a small one, and this many outcomes in the stats of its runs.
 *
 * @param {Postgres} server
 * @param {string} data
 * @param {Size} size
 */
async function fill(server, data, { repositories, outcomes, outcomesOfRun }) {
  const member = new Member(["serve", "--port", "0", "--no-worker", "--data", data, "--database", server.url]);
  await member.start();
  await member.end("SIGTERM");
  const template = join(data, "template.git");
  const tree = join(data, "tree");
  mkdirSync(tree);
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
  /** @param {string[]} args */
  const git = (...args) => run("git", [...identity, ...args], { cwd: tree });
  await git("init", "--quiet", "--initial-branch=main");
  for (let n = 0; n < 10; n += 1) {
    await git("commit", "--quiet", "--allow-empty", "-m", `commit ${n}`);
    await git("tag", `v${n}`);
    await git("branch", `branch-${n}`);
  }
  await git("clone", "--quiet", "--mirror", tree, template);
  await git("--git-dir", template, "config", "--remove-section", "remote.origin");

  const pool = openPool(server.url);
  await pool.query(
    `INSERT INTO refsync.repos (id, org_id, name, default_bookmark, upstream_url)
     SELECT refsync.new_id('repo'), (SELECT id FROM refsync.organizations), 'repo-' || n, 'main', 'https://git.example.com/' || n
     FROM generate_series(1, $1::int) n`,
    [repositories],
  );
  const runs = Math.ceil(outcomes / outcomesOfRun);
  for (let n = 0; n < runs; n += 1) {
    // Distinct ids, like those of real commits. They are most of a row, and cannot be compressed.
    await pool.query(
      `INSERT INTO refsync.syncs (repo_id, direction, branches, tags, status, stats, started_at, finished_at)
       SELECT (SELECT id FROM refsync.repos ORDER BY seq OFFSET $1::int % $2::int LIMIT 1), 'pull', '*', '*', 'completed',
         (SELECT jsonb_build_object('refs', jsonb_agg(jsonb_build_object(
            'name', 'refs/heads/feature/' || i, 'before', encode(sha256(('b' || $1::int || i)::bytea), 'hex'),
            'after', encode(sha256(('a' || $1::int || i)::bytea), 'hex'), 'outcome', 'updated', 'reason', NULL, 'message', NULL)))
          FROM generate_series(1, $3::int) i), now(), now()`,
      [n, repositories, outcomesOfRun],
    );
  }
  const { rows } = await pool.query("SELECT id FROM refsync.repos");
  for (const { id } of rows) cpSync(template, join(data, "repositories", `${id}.git`), { recursive: true });
  rmSync(template, { recursive: true });
  rmSync(tree, { recursive: true });
  const { rows: count } = await pool.query(
    "SELECT sum(jsonb_array_length(stats -> 'refs'))::int AS outcomes, count(*)::int AS runs FROM refsync.syncs",
  );
  await pool.end();
  if (count[0].outcomes < outcomes) throw new StepError(`${count[0].outcomes} outcomes, not ${outcomes}`);
  say(`${count[0].outcomes} outcomes in ${count[0].runs} runs`);
}

/**
 * @param {Postgres} server
 * @param {string} data
 */
async function postgresState(server, data) {
  const pool = openPool(server.url, { max: 1 });
  try {
    return { tables: await tables((sql) => pool.query(sql)), refs: await refs(data) };
  } finally {
    await pool.end();
  }
}

/** @param {string} data */
async function embeddedState(data) {
  const database = await PGlite.create(join(data, "database"));
  try {
    return { tables: await tables((sql) => database.query(sql)), refs: await refs(data) };
  } finally {
    await database.close();
  }
}

/**
 * The number of rows of each table, and their hash. The order of rows does not matter. The database's own tables are left
 * out.
 *
 * @param {(sql: string) => Promise<{ rows: Json[] }>} query
 */
async function tables(query) {
  await query("SET TimeZone = 'UTC'");
  const { rows: names } = await query(
    `SELECT relname::text AS name FROM pg_class
     WHERE relnamespace = 'refsync'::regnamespace AND relkind = 'r' AND relname NOT IN ('schema_migrations', 'service')
     ORDER BY relname`,
  );
  /** @type {Record<string, { rows: number, hash: string }>} */
  const found = {};
  for (const { name } of names) {
    const { rows } = await query(
      `SELECT count(*)::int AS rows, md5(coalesce(string_agg(hash, '' ORDER BY hash), '')) AS hash
       FROM (SELECT md5(row_to_json(t)::text) AS hash FROM refsync.${name} t) hashes`,
    );
    found[name] = rows[0];
  }
  return found;
}

/**
 * The hash of each repository's refs. Throws if Git finds something wrong in one.
 *
 * @param {string} data
 */
async function refs(data) {
  /** @type {Record<string, string>} */
  const found = {};
  const folder = join(data, "repositories");
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".git"))) {
    /** @param {string[]} args */
    const git = (...args) => run("git", ["--git-dir", join(folder, name), ...args]);
    const { stdout } = await git("for-each-ref", "--format=%(refname) %(objectname)");
    await git("fsck", "--strict");
    const head = readFileSync(join(folder, name, "HEAD"), "utf8");
    found[name] = createHash("sha256").update(`${head}${stdout}`).digest("hex");
  }
  return found;
}

/**
 * @param {string} what
 * @param {State} before
 * @param {State} after
 */
function same(what, before, after) {
  for (const part of /** @type {const} */ (["tables", "refs"])) {
    /** @type {Record<string, unknown>[]} */
    const [was = {}, is = {}] = [before[part], after[part]];
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (JSON.stringify(was[name]) === JSON.stringify(is[name])) continue;
      throw new StepError(`${what}: ${part} ${name}: ${JSON.stringify(was[name])} is ${JSON.stringify(is[name])}`);
    }
  }
}
