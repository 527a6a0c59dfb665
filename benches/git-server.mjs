// `git http-backend` on a port, in a process of its own, so that its work is not measured as a contestant's. `node
// benches/git-server.mjs FOLDER`; prints its URL. `GET /-/traffic` returns the traffic since the previous such request.
import { spawn } from "node:child_process";
import { createServer } from "node:http";

import { portOf } from "../tests/support/network/listen.mjs";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: node benches/git-server.mjs FOLDER");
const delay = Number(process.env.REFSYNC_BENCH_DELAY ?? 0);
let traffic = nothing();

const server = createServer((request, response) => {
  if (request.url === "/-/traffic") {
    // No keep-alive: a caller may need long between two requests, and would then find a kept connection closed.
    response.setHeader("connection", "close").end(JSON.stringify(traffic));
    traffic = nothing();
    return;
  }
  traffic.firstRequest ??= performance.timeOrigin + performance.now();
  setTimeout(answer, delay, request, response);
});
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${portOf(server)}\n`));

/**
 * The time of the first request, and the bytes of the bodies in each direction, for each repository.
 *
 * @returns {import("./types.mjs").Traffic}
 */
function nothing() {
  return { firstRequest: undefined, sent: {}, received: {} };
}

/**
 * @param {"sent" | "received"} way
 * @param {string} url
 * @param {number} bytes
 */
function count(way, url, bytes) {
  const repository = url.split("/")[1] ?? "";
  traffic[way][repository] = (traffic[way][repository] ?? 0) + bytes;
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
function answer(request, response) {
  const path = request.url ?? "/";
  const { pathname, search } = new URL(path, "http://localhost");
  const env = {
    PATH: process.env.PATH,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROJECT_ROOT: folder,
    HOME: folder,
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    REMOTE_USER: "bench",
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    ...(request.headers["content-length"] && { CONTENT_LENGTH: request.headers["content-length"] }),
    ...(request.headers["content-encoding"] && { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] }),
    ...(request.headers["git-protocol"] && { GIT_PROTOCOL: String(request.headers["git-protocol"]) }),
  };
  const git = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  git.stdin.on("error", () => {});
  request.on("data", (chunk) => count("received", path, chunk.length));
  request.pipe(git.stdin);
  response.on("close", () => response.writableFinished || git.kill());
  let head = Buffer.alloc(0);
  /** @param {Buffer} chunk */
  const onHead = (chunk) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    git.stdout.off("data", onHead);
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    const first = head.subarray(end + 4);
    count("sent", path, first.length);
    response.write(first);
    git.stdout.on("data", (chunk) => count("sent", path, chunk.length));
    git.stdout.pipe(response);
  };
  git.stdout.on("data", onHead);
}
