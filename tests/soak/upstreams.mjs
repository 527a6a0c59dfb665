// The upstreams: bare repositories behind `git http-backend`, and a log of all requests with their senders and times.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { listen } from "../support/network/listen.mjs";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 * @import { Socket } from "node:net"
 * @import { Readable } from "node:stream"
 */

/**
 * A request, its Git command, and the process that sent it. Times are milliseconds since 1970.
 *
 * @typedef {object} Entry
 * @property {string} repository
 * @property {string} call
 * @property {number} began
 * @property {number | null} ended
 * @property {number | null} asker
 */

/** @param {string} folder */
const environment = (folder) => ({
  PATH: process.env.PATH,
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_HTTP_EXPORT_ALL: "1",
  GIT_PROJECT_ROOT: folder,
  GIT_CONFIG_COUNT: "3",
  GIT_CONFIG_KEY_0: "http.receivepack",
  GIT_CONFIG_VALUE_0: "true",
  GIT_CONFIG_KEY_1: "uploadpack.allowFilter",
  GIT_CONFIG_VALUE_1: "true",
  GIT_CONFIG_KEY_2: "gc.auto",
  GIT_CONFIG_VALUE_2: "0",
});

/**
 * Runs Git in a folder, and returns its output.
 *
 * @param {string} folder
 * @param {string[]} args
 * @param {string} [input]
 */
export async function git(folder, args, input = "") {
  const child = spawn("git", args, { cwd: folder, env: environment(folder), stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  let complaint = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`git ${args.join(" ")} in ${folder}: ${complaint}`);
  return said.trim();
}

/**
 * Adds a commit to a branch of a bare repository.
 *
 * @param {string} repository
 * @param {string} branch
 * @param {string} text
 */
export async function advance(repository, branch, text) {
  const ref = `refs/heads/${branch}`;
  const parent = await git(repository, ["for-each-ref", "--format=%(objectname)", ref]);
  const commit = [
    `commit ${ref}`,
    `committer A <a@example.com> ${Math.floor(Date.now() / 1000)} +0000`,
    `data ${text.length}\n${text}`,
    ...(parent ? [`from ${parent}`] : []),
    `M 100644 inline ${branch}.txt\ndata ${text.length}\n${text}`,
  ];
  await git(repository, ["fast-import", "--quiet"], `${commit.join("\n")}\n`);
}

/**
 * Serves the bare repositories of `folder`. `processes` gives the ids of the processes that may ask. Each request is slowed
 * by some milliseconds, so that a wrong overlap of two runs becomes visible. `hold(entry, response)` may delay a request
 * for longer.
 *
 * @param {string} folder
 * @param {() => Iterable<number>} processes
 * @param {(entry: Entry, response: ServerResponse) => unknown} [hold]
 */
export async function serveUpstreams(folder, processes, hold = () => {}) {
  /** @type {Entry[]} */
  const log = [];
  /** @type {WeakMap<Socket, Promise<number | null>>} */
  const askers = new WeakMap();
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://upstreams");
    const [, repository = "", call = ""] = /^\/([^/]+)\.git\/(.*)$/.exec(pathname) ?? [];
    const began = Date.now();
    // Reads the body at once, because no later event reports that the request was cut off.
    const question = call === "git-upload-pack" ? questionOf(request) : call;
    /** @type {Entry} */
    const entry = {
      repository,
      call: await question,
      began,
      ended: null,
      asker: (await askers.get(request.socket)) ?? null,
    };
    log.push(entry);
    await delay(Math.random() * 20);
    await hold(entry, response);
    if (response.destroyed) {
      // The sender was killed, and Git did nothing for it.
      entry.ended = Date.now();
      return;
    }
    const child = spawn("git", ["http-backend"], {
      env: { ...environment(folder), ...variables(request, pathname, search) },
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.on("error", () => {});
    request.pipe(child.stdin);
    // A request of a killed process ends when Git's work for it ends, not when its connection ends.
    const end = () => {
      entry.ended ??= Date.now();
    };
    // On a busy machine, Git's exit is reported after its answer has arrived, and then the sender's next request has
    // already begun.
    child.stdout.on("end", end);
    child.on("exit", end);
    response.on("close", () => {
      child.stdin.end();
      child.stdout.resume();
    });
    answer(child.stdout, response);
  });
  server.on("connection", (socket) => askers.set(socket, askerOf(socket, processes())));
  const port = await listen(server);
  return {
    /** @param {string} repository */
    url: (repository) => `http://127.0.0.1:${port}/${repository}.git`,
    log,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * @param {IncomingMessage} request
 * @param {string} pathname
 * @param {string} search
 */
function variables({ method, headers }, pathname, search) {
  return {
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    REMOTE_USER: "soak",
    REQUEST_METHOD: method ?? "GET",
    CONTENT_TYPE: headers["content-type"] ?? "",
    ...(headers["content-length"] && { CONTENT_LENGTH: headers["content-length"] }),
    ...(headers["content-encoding"] && { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
    ...(headers["git-protocol"] && { GIT_PROTOCOL: String(headers["git-protocol"]) }),
  };
}

/**
 * The command of a request to upload-pack: `ls-refs` or `fetch`. A request that was cut off counts as `ls-refs`. The body
 * can still be read afterwards.
 *
 * @param {IncomingMessage} request
 * @returns {Promise<"ls-refs" | "fetch">}
 */
async function questionOf(request) {
  await once(request, "readable").catch(() => {});
  const head = request.read();
  if (head === null) return "ls-refs";
  request.unshift(head);
  return head.includes("command=ls-refs") ? "ls-refs" : "fetch";
}

/**
 * Forwards a CGI answer.
 *
 * @param {Readable} stdout
 * @param {ServerResponse} response
 */
function answer(stdout, response) {
  let head = Buffer.alloc(0);
  /** @param {Buffer} chunk */
  const onHead = (chunk) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    stdout.off("data", onHead);
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    // If the client is gone, the output cannot be piped to it: Git would wait for ever.
    if (response.destroyed) return void stdout.resume();
    response.write(head.subarray(end + 4));
    stdout.pipe(response);
  };
  stdout.on("data", onHead);
  stdout.on("end", () => response.end());
}

/**
 * The process that has the other end of a connection, according to Linux; null if none of these has it any more.
 *
 * @param {Socket} socket
 * @param {Iterable<number>} processes
 * @returns {Promise<number | null>}
 */
async function askerOf({ remotePort, localPort }, processes) {
  /** @param {number} [port] */
  const end = (port = 0) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = await readFile("/proc/net/tcp", "utf8");
  // Compares both ends, because one port may have several connections, to PostgreSQL and to us.
  const line = table.split("\n").find((row) => {
    const [, from = "", to = ""] = row.trim().split(/\s+/);
    return from.endsWith(end(remotePort)) && to.endsWith(end(localPort));
  });
  const inode = line?.trim().split(/\s+/)[9];
  for (const pid of processes) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (target === `socket:[${inode}]`) return pid;
    }
  }
  return null;
}
