/**
 * A host with a habit: real `git http-backend`, and in front of it a small server that behaves like some Git hosts and
 * proxies.
 */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend } from "../../../pkg/dist/node.js";
import { git } from "../../support/git/git.mjs";
import { grow, growNoise } from "../../support/git/history.mjs";
import { listenFor } from "../../support/network/listen.mjs";

/**
 * A request. It has the whole body after that is read.
 *
 * @typedef {{ method: string, url: string, headers: import("node:http").IncomingHttpHeaders, at: string, body: Buffer }} Asked
 */
/**
 * An answer, or a function that writes one by hand.
 *
 * @typedef {{ status: number, headers: Record<string, string | string[] | undefined>, body: string | Buffer }} Answer
 * @typedef {{ status: number, headers: Record<string, string>, body: Buffer }} Passed
 * @typedef {{ raw: (socket: import("node:net").Socket) => void }} Raw
 */
/**
 * The behaviour of a host that differs from Git's own server.
 *
 * @typedef {object} Habit
 * @property {(request: Asked, response: import("node:http").ServerResponse, incoming: import("node:http").IncomingMessage) => boolean} [early]
 * @property {(request: Asked, pass: (request: Asked) => Promise<Passed>) => Promise<Answer | Raw>} [answer]
 */
/**
 * @typedef {import("node:test").TestContext} Test
 * @typedef {Awaited<ReturnType<typeof repositories>>} Repositories
 * @typedef {{ seen: Asked[], url: (name: string) => string, posts: () => Asked[] }} Host
 */

/**
 * A folder of bare repositories. It is removed with the test.
 *
 * @param {Test} t
 */
export async function repositories(t) {
  const root = await mkdtemp(join(tmpdir(), "refsync-hosts-"));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const backend = gitHttpBackend({ root });
  /** @param {string} name */
  const folder = (name) => join(root, `${name}.git`);
  let count = 0;
  return {
    root,
    folder,
    /** A new empty repository, and its name. */
    empty: async () => {
      count += 1;
      await backend.create(`empty-${count}`, "main");
      return `empty-${count}`;
    },
    /**
     * Makes a new repository whose pack has about this many bytes. Its files do not compress.
     *
     * @param {string} name
     * @param {number} bytes
     */
    noise: async (name, bytes) => {
      await backend.create(name, "main");
      await growNoise(folder(name), bytes);
    },
    /**
     * A new repository, with this many commits.
     *
     * @param {string} name
     */
    create: async (name, commits = 0) => {
      await backend.create(name, "main");
      if (commits > 0) await grow(folder(name), commits);
    },
    /** @type {(name: string, ...args: string[]) => Promise<string>} */
    git: (name, ...args) => git(folder(name), ...args),
    /** @param {string} name */
    refs: (name) => git(folder(name), "for-each-ref", "--format=%(refname) %(objectname)"),
    backend,
  };
}

/**
 * Serves the repositories below `root` at a free port. `habit.early(request, response, incoming)` may answer before the
 * body is read (true means that it did). `habit.answer(request, pass)` gives the answer: `request` has `method`, `url`,
 * `headers` and the whole `body`; `pass` asks Git for `{ status, headers, body }`. `seen` has the requests so far.
 *
 * @param {Test} t
 * @param {Repositories} repos
 * @param {Habit} [habit]
 */
export async function front(t, { backend }, habit = {}) {
  /** @type {Asked[]} */
  const seen = [];
  const server = createServer({ requestTimeout: 0 }, async (request, response) => {
    const { method = "", url = "", headers } = request;
    const asked = { method, url, headers, at: `${method} ${url}`, body: Buffer.alloc(0) };
    seen.push(asked);
    response.on("error", () => {});
    if (habit.early?.(asked, response, request)) return;
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    asked.body = Buffer.concat(chunks);
    const toGit = (/** @type {Asked} */ r) => pass(backend, r);
    const answer = await (habit.answer ? habit.answer(asked, toGit) : toGit(asked));
    if ("raw" in answer) return answer.raw(request.socket);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  const origin = await listenFor(t, server);
  const url = (/** @type {string} */ name) => `${origin}/${name}.git`;
  return { origin, seen, url, posts: () => seen.filter((r) => r.method === "POST") };
}

/**
 * Git's answer to a request.
 *
 * @param {Repositories["backend"]} backend
 * @param {Pick<Asked, "method" | "url" | "headers" | "body">} request
 * @returns {Promise<Passed>}
 */
export async function pass(backend, { method, url, headers, body }) {
  const kept = ["content-type", "content-encoding", "git-protocol", "accept"];
  const passed = Object.fromEntries(kept.filter((k) => headers[k]).map((k) => [k, String(headers[k])]));
  const init = { method, headers: passed, ...(method === "POST" && { body: new Uint8Array(body) }) };
  const answer = await backend.fetch(new Request(`http://git.test${url}`, init));
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

/**
 * Runs Git with these arguments in `cwd`.
 *
 * @param {string} cwd
 * @param {string[]} args
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string }>}
 */
export function runGit(cwd, args) {
  const child = spawn("git", args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
}
