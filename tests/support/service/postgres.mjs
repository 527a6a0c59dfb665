/** A PostgreSQL for one test, on loopback, in a folder of its own. The folder is removed when it stops. */

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { postgresBin } from "../../../scripts/tools.mjs";
import { freePort } from "../network/listen.mjs";

const run = promisify(execFile);

/** @typedef {Awaited<ReturnType<typeof postgres>>} Postgres */

/**
 * Makes a cluster and starts it, with additional PostgreSQL settings. Rejects if PostgreSQL is not installed.
 *
 * @param {Record<string, string | number>} [more]
 */
export async function postgres(more = {}) {
  const bin = postgresBin();
  if (bin === null) throw new Error("PostgreSQL is not installed; run: node scripts/setup.mjs --tests");
  const folder = await mkdtemp(join(tmpdir(), "refsync-postgres-"));
  const as = await account(folder);
  const data = join(folder, "data");
  const options = { ...as, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: "C" } };
  await run(
    join(bin, "initdb"),
    ["-D", data, "-U", "refsync", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
    options,
  );
  const port = await freePort();
  const url = `postgres://refsync@127.0.0.1:${port}/postgres`;
  /** @type {import("node:child_process").ChildProcess} */
  let server;
  let said = "";

  const start = async () => {
    const settings = {
      listen_addresses: "127.0.0.1",
      port,
      unix_socket_directories: "",
      max_connections: 200,
      ...more,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const child = spawn(join(bin, "postgres"), ["-D", data, ...flags], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    server = child;
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    await answers(port, child);
  };
  /**
   * `SIGINT` cuts connections; `SIGKILL` would leave its shared memory behind.
   *
   * @param {NodeJS.Signals} [signal]
   */
  const halt = async (signal = "SIGINT") => {
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  await start();
  return {
    url,
    start,
    halt,
    /** Its log so far. */
    log: () => said,
    /**
     * The output of `pg_dump`: SQL, unless its options choose another format.
     *
     * @param {string[]} flags
     */
    async dump(...flags) {
      const dumped = await run(join(bin, "pg_dump"), [...flags, url], { ...options, maxBuffer: 1 << 28 });
      return dumped.stdout;
    },
    /**
     * Runs SQL with `psql`, all of it or nothing.
     *
     * @param {string} sql
     */
    async load(sql) {
      const flags = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--dbname", url];
      const loading = run(join(bin, "psql"), flags, options);
      loading.child.stdin?.end(sql);
      await loading;
    },
    async stop() {
      if (server.exitCode === null) await halt();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * The user that runs it. PostgreSQL refuses root, so root uses Debian's account.
 *
 * @param {string} folder
 */
async function account(folder) {
  if (process.getuid?.() !== 0) return {};
  /** @param {string} flag */
  const id = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const [uid, gid] = [id("-u"), id("-g")];
  await chown(folder, uid, gid);
  return { uid, gid };
}

/**
 * @param {number} port
 * @param {import("node:child_process").ChildProcess} server
 */
async function answers(port, server) {
  const { default: pg } = await import("pg");
  for (let tries = 0; tries < 300; tries += 1) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode} before it answered`);
    const client = new pg.Client({ host: "127.0.0.1", port, user: "refsync", database: "postgres" });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error("postgres does not answer");
}
