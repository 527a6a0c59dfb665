/** A PostgreSQL of its own for a test or a script: in a temporary folder, behind a Unix socket, gone when it is stopped. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { postgresBin } from "../../scripts/tools.mjs";

const run = promisify(execFile);

/**
 * Starts a server; `settings` are PostgreSQL's own, such as `{ log_statement: "all" }`. Resolves once it answers.
 * PostgreSQL refuses to run as root, so that root runs it as the user `postgres`, whom Debian's package makes.
 */
export async function startPostgres(settings = {}) {
  const bin = process.env.REFSYNC_POSTGRES_BIN ?? postgresBin();
  if (bin === null) throw new Error("PostgreSQL is not installed; run: node scripts/setup.mjs --tests");
  const program = (name) => join(bin, name);
  const user = process.getuid?.() === 0 ? await userOf("postgres") : {};
  const folder = await mkdtemp(join(tmpdir(), "refsync-postgres-"));
  const [data, logs] = ["data", "log"].map((name) => join(folder, name));
  for (const path of [folder, data, logs]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (user.uid !== undefined) await chown(path, user.uid, user.gid);
  }
  const options = { ...user, cwd: folder };
  await run(program("initdb"), ["-D", data, "-U", "refsync", "-A", "trust", "-E", "UTF8", "--no-sync"], options);
  const all = { listen_addresses: "", unix_socket_directories: folder, fsync: "off", ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const collected = ["-c", "logging_collector=on", "-c", `log_directory=${logs}`];
  const server = spawn(program("postgres"), ["-D", data, ...flags, ...collected], { ...options, stdio: "ignore" });
  const ended = once(server, "exit");
  const stop = async () => {
    if (server.exitCode === null) server.kill("SIGINT");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(() => run(program("pg_isready"), ["-h", folder, "-U", "refsync"], options));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    /** For `pg`; the database is PostgreSQL's own, `postgres`. */
    url: `postgres://refsync@localhost/postgres?host=${encodeURIComponent(folder)}`,
    stop,
    /** The process, for those who look for its connections' titles. */
    pid: server.pid,
    /** Everything that it has written to its log. */
    async log() {
      const names = (await readdir(logs)).sort();
      return (await Promise.all(names.map((name) => readFile(join(logs, name), "utf8")))).join("");
    },
    /** What `pg_dump` writes, as SQL. */
    async dump(...args) {
      const dumped = await run(program("pg_dump"), ["-h", folder, "-U", "refsync", ...args, "postgres"], {
        ...options,
        maxBuffer: 1 << 28,
      });
      return dumped.stdout;
    },
  };
}

async function userOf(name) {
  const { stdout } = await run("getent", ["passwd", name]);
  const [, , uid, gid] = stdout.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

async function eventually(attempt) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
