/**
 * A host with a habit: real `git http-backend`, and in front of it a small server that behaves as some Git hosts and proxies
 * do.
 */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend } from "../../../pkg/dist/node/index.js";
import { git } from "../../support/git.mjs";
import { grow, growNoise } from "../../support/history.mjs";

/** A folder of bare repositories, which goes with the test. */
export async function repositories(t) {
  const root = await mkdtemp(join(tmpdir(), "refsync-hosts-"));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const backend = gitHttpBackend({ root });
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
    /** A new repository whose pack has about as many bytes: they do not compress. */
    noise: async (name, bytes) => {
      await backend.create(name, "main");
      await growNoise(folder(name), bytes);
    },
    /** A new repository, with this many commits. */
    create: async (name, commits = 0) => {
      await backend.create(name, "main");
      if (commits > 0) await grow(folder(name), commits);
    },
    git: (name, ...args) => git(folder(name), ...args),
    refs: (name) => git(folder(name), "for-each-ref", "--format=%(refname) %(objectname)"),
    backend,
  };
}

/**
 * Serves the repositories below `root` at a free port. `habit.early(request, response)` may answer before the body is read
 * (true means that it did). `habit.answer(request, pass)` gives the answer: `request` has `method`, `url`, `headers` and the
 * whole `body`; `pass` asks Git for `{ status, headers, body }`. `seen` are the requests so far.
 */
export async function front(t, { backend }, habit = {}) {
  const seen = [];
  const server = createServer({ requestTimeout: 0 }, async (request, response) => {
    const { method, url, headers } = request;
    const asked = { method, url, headers, at: `${method} ${url}` };
    seen.push(asked);
    response.on("error", () => {});
    if (habit.early?.(asked, response)) return;
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    asked.body = Buffer.concat(chunks);
    const answer = await (habit.answer ?? ((r, pass) => pass(r)))(asked, (r) => pass(backend, r));
    if (answer.raw) return answer.raw(request.socket);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  const origin = await listen(t, server);
  return { origin, seen, url: (name) => `${origin}/${name}.git`, posts: () => seen.filter((r) => r.method === "POST") };
}

/** Listens at a free port of `host`; ends with the test. */
export async function listen(t, server, host = "127.0.0.1") {
  await new Promise((resolve) => server.listen(0, host, resolve));
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://${host}:${server.address().port}`;
}

/** What Git answers to a request. */
export async function pass(backend, { method, url, headers, body }) {
  const kept = ["content-type", "content-encoding", "git-protocol", "accept"];
  const init = { method, headers: Object.fromEntries(kept.filter((k) => headers[k]).map((k) => [k, headers[k]])) };
  if (method === "POST") init.body = body;
  const answer = await backend.fetch(new Request(`http://git.test${url}`, init));
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

/** Runs Git with these arguments in `cwd`: `{ status, stderr }`. */
export function runGit(cwd, args, env = {}) {
  const child = spawn("git", args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      ...env,
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
