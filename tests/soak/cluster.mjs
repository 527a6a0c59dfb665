// The processes of one service. Each may be killed at any moment and is then started again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { messageOf } from "../../scripts/command.mjs";
import { present } from "../support/present.mjs";
import { bin } from "../support/process/refsync.mjs";

/**
 * @import { Json } from "../support/json.mjs"
 *
 * @typedef {Awaited<ReturnType<typeof startCluster>>} Cluster
 */

/** One process: `refsync serve` or `refsync worker`, with these arguments. */
export class Member {
  /** @type {import("node:child_process").ChildProcess | null} */
  #child = null;
  #said = "";

  /** @param {string[]} args */
  constructor(args) {
    this.args = args;
    /**
     * The content of its first line.
     *
     * @type {Partial<import("../support/service/serve.mjs").Greeting> | null}
     */
    this.first = null;
  }

  /**
   * Called with everything that the process writes to stderr.
   *
   * @param {string} _text
   */
  onSaid(_text) {}

  get pid() {
    return this.#child?.pid ?? null;
  }

  get isRunning() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last part of its stderr. */
  get said() {
    return this.#said;
  }

  /** Starts the process. Resolves when it reports that it is ready. */
  async start() {
    const [command = "serve", ...more] = this.args;
    const flags = ["--json", "--allow-private-network", ...more];
    const child = spawn(process.execPath, [bin, command, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#said = (this.#said + text).slice(-4000);
      this.onSaid(text);
    });
    const ended = once(child, "exit");
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([once(lines, "line"), ended.then(() => null)]);
    if (first === null) throw new Error(`refsync ${this.args.join(" ")} ended before it answered: ${this.#said}`);
    this.first = JSON.parse(first[0]);
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const child = this.#child;
    if (child === null) return;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    this.first = null;
    child.kill(signal);
    await ended;
  }
}

/**
 * Starts one service. With `database`, the URL of a PostgreSQL, it has two `serve` processes, one of them with a worker,
 * and two `worker` processes. Otherwise it has one process that does everything, on the embedded database.
 *
 * @param {{ data: string, database?: string | undefined }} where
 */
export async function startCluster({ data, database }) {
  const shared = ["--data", data, ...(database ? ["--database", database] : [])];
  const first = new Member(["serve", "--port", "0", ...shared]);
  const members = [first];
  if (database) {
    members.push(new Member(["serve", "--port", "0", "--no-worker", ...shared]));
    members.push(new Member(["worker", ...shared]), new Member(["worker", ...shared]));
  }
  // All at the same time; the first one migrates the schema.
  await Promise.all(members.map((member) => member.start()));
  const pids = new Set(members.map(({ pid }) => present(pid)));
  const { api_key: apiKey } = present(first.first);
  return {
    members,
    /** The ids of all processes so far. */
    pids: () => pids,
    /**
     * Ends a process at once, and starts it again.
     *
     * @param {Member} member
     */
    async kill(member) {
      const { pid } = member;
      await member.end("SIGKILL");
      const kill = { pid, at: Date.now() };
      const restarted = member.start().then(() => pids.add(present(member.pid)));
      return { kill, restarted };
    },
    /**
     * Calls the API on the first process that answers. Retries for a minute if none answers.
     *
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @returns {Promise<Json>}
     */
    async call(method, path, body) {
      for (const until = Date.now() + 60_000; ; ) {
        const there = members.filter(({ first }) => first?.url);
        const member = there[Math.floor(Math.random() * there.length)];
        try {
          if (!member) throw new Error("nobody serves");
          const response = await fetch(`${present(member.first).url}/v1${path}`, {
            method,
            headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
            body: body && JSON.stringify(body),
          });
          const answer = await response.json();
          if (response.ok) return answer;
          if (response.status < 500) throw Object.assign(new Error(JSON.stringify(answer)), { final: true });
          throw new Error(JSON.stringify(answer));
        } catch (error) {
          const final = error instanceof Error && "final" in error;
          if (final || Date.now() > until) throw new Error(`${method} ${path}: ${messageOf(error)}`, { cause: error });
          await delay(100);
        }
      }
    },
    stop: () => Promise.all(members.map((member) => member.end("SIGTERM"))),
    said: () => members.map(({ args, said }) => `${args[0]}: ${said}`).join("\n"),
  };
}
