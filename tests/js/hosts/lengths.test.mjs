/** Hosts and proxies that require the length of a request. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { listenFor } from "../../support/network/listen.mjs";
import { both, fails, fetches, front, gitWith, repositories, works } from "./both.mjs";
import { pass } from "./front.mjs";

/** More bytes than the engine collects anyway. */
const LARGE = 3_000_000;

/**
 * @typedef {import("./front.mjs").Host} Host
 * @typedef {import("./front.mjs").Habit} Habit
 */

/**
 * Refuses a request without a length before reading it, like some servers and proxies. They close the connection when no
 * more data comes, or after a while. A server that closes at once may lose its answer in a reset.
 *
 * @param {number} status
 * @returns {Habit}
 */
const refusing = (status) => ({
  early: ({ headers }, response, request) => {
    if (headers["transfer-encoding"] === undefined) return false;
    const page = "<html>No length</html>";
    const length = `${page.length}`;
    response.writeHead(status, { connection: "close", "content-type": "text/html", "content-length": length });
    response.write(page);
    const close = () => void response.end();
    request.on("error", close).on("close", close).on("end", close).resume();
    setTimeout(close, 2_000).unref();
    return true;
  },
});

/** @param {Host} host */
const pushes = (host) => host.posts().filter(({ url }) => url.endsWith("/git-receive-pack"));
/** @param {{ headers: import("node:http").IncomingHttpHeaders }} request */
const isChunked = ({ headers }) => headers["transfer-encoding"] === "chunked";

test("a small push tells its length, as Git's does, and a large one is sent as it comes", async (t) => {
  const repos = await repositories(t);
  for (const { size, chunked } of [
    { size: 10_000, chunked: false },
    { size: LARGE, chunked: true },
  ]) {
    await repos.noise("upstream", size);
    await both(t, repos, {}, async (what, result, destination) => {
      await works(repos)(what, result, destination);
      if (result.side === "destination") assert.deepEqual(pushes(result.host).map(isChunked), [chunked], what);
    });
  }
});

for (const status of [411, 501]) {
  test(`a host that answers ${status} to a push without a length gets one with it`, async (t) => {
    const repos = await repositories(t);
    await repos.noise("upstream", LARGE);
    if (status === 411) {
      assert.deepEqual(
        await gitWith(t, repos, refusing(status)),
        { lists: true, pushes: false },
        "not Git's large ones",
      );
    }
    await both(t, repos, refusing(status), async (what, result, destination) => {
      await works(repos)(what, result, destination);
      if (result.side === "source") return;
      assert.deepEqual(pushes(result.host).map(isChunked), [true, false], `${what}: the first was not executed`);
    });
  });
}

test("a small push to such a host is sent once, as Git's is", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  assert.deepEqual(await gitWith(t, repos, refusing(411)), { lists: true, pushes: true });
  await both(t, repos, refusing(411), async (what, result, destination) => {
    await works(repos)(what, result, destination);
    if (result.side === "destination") assert.equal(pushes(result.host).length, 1, what);
  });
});

test("a pack that is too large to be collected is an error that says so", async (t) => {
  const repos = await repositories(t);
  await repos.noise("upstream", LARGE);
  /** @type {import("./both.mjs").Check} */
  const check = async (what, result, destination) => {
    if (result.side === "source") return works(repos)(what, result, destination);
    await fails(
      repos,
      "too_large",
      /length of a request \(411\)/,
      /2000000 bytes/,
      /collectLimit/,
    )(what, result, destination);
  };
  await both(t, repos, refusing(411), check, { options: { collectLimit: 2_000_000 } });
});

test("a host that answers 411 to every push gets two", async (t) => {
  const repos = await repositories(t);
  await repos.noise("upstream", LARGE);
  /** @type {Habit} */
  const habit = {
    answer: async (request, passed) =>
      request.url.endsWith("/git-receive-pack") ? { status: 411, headers: {}, body: "" } : passed(request),
  };
  await both(t, repos, habit, async (what, result, destination) => {
    if (result.side === "source") return works(repos)(what, result, destination);
    assert.match(`${result.error?.message}`, /status 411/, what);
    assert.equal(pushes(result.host).length, 2, what);
  });
});

/**
 * A server of HTTP/1.0. It reads as many bytes as the request's length says, or none without a length. The end of the
 * connection ends each answer.
 *
 * @param {import("./front.mjs").Test} t
 * @param {import("./front.mjs").Repositories} repos
 * @param {{ says: string }} options
 * @returns {Promise<Host>}
 */
async function oldServer(t, repos, { says }) {
  /** @type {Host["seen"]} */
  const seen = [];
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    const onData = async (/** @type {Buffer} */ chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(": ")).toLowerCase(), line.slice(line.indexOf(": ") + 2)]),
      );
      const length = Number(headers["content-length"] ?? 0);
      if (bytes.length < end + 4 + length) return;
      socket.off("data", onData).resume();
      const [method = "", url = ""] = first.split(" ");
      const body = bytes.subarray(end + 4, end + 4 + length);
      seen.push({ method, url, headers, at: `${method} ${url}`, body });
      const answer = await pass(repos.backend, { method, url, headers, body });
      const head = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.0 ${answer.status} OK\r\n${head.join("")}${says}\r\n`);
      socket.end(answer.body);
    };
    socket.on("data", onData);
  });
  const origin = await listenFor(t, server);
  return {
    seen,
    url: (/** @type {string} */ name) => `${origin}/${name}.git`,
    posts: () => seen.filter(({ method }) => method === "POST"),
  };
}

test("a server of HTTP/1.0 gets the length of a large push", async (t) => {
  const repos = await repositories(t);
  await repos.noise("upstream", LARGE);
  const { sync } = await import("../../../pkg/dist/engine.js");
  const plain = await front(t, repos);
  for (const [name, fetch] of Object.entries(fetches(t))) {
    // Node's `fetch` does not show the version of HTTP; this header shows it.
    const host = await oldServer(t, repos, { says: fetch ? "" : "Connection: close\r\n" });
    const destination = await repos.empty();
    await sync({ source: plain.url("upstream"), destination: host.url(destination), ...(fetch && { fetch }) });
    assert.equal(await repos.refs(destination), await repos.refs("upstream"), name);
    assert.deepEqual(pushes(host).map(isChunked), [false], name);
    const mirror = await repos.empty();
    await sync({ source: host.url("upstream"), destination: plain.url(mirror), ...(fetch && { fetch }) });
    assert.equal(await repos.refs(mirror), await repos.refs("upstream"), name);
  }
});
