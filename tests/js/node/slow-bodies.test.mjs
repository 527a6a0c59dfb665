// A request whose body is slow or never arrives ends in bounded time, even with a valid key. A large push does not end
// early.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { listen } from "../../../pkg/dist/node/http/port.js";
import { start } from "../service/support.mjs";

/**
 * Sends a head, and then a piece of the body every `every` milliseconds until the connection ends or all pieces are sent.
 *
 * @param {{ port: number }} listener
 * @param {string} head
 * @param {{ piece: string, every: number, pieces?: number }} body
 * @returns {Promise<{ answer: string, ms: number, sent: number }>}
 */
function send({ port }, head, { piece, every, pieces = Number.POSITIVE_INFINITY }) {
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    let sent = 0;
    socket.write(head.replaceAll("\n", "\r\n"));
    const timer = setInterval(() => {
      if (sent >= pieces) return;
      sent += 1;
      socket.write(piece);
    }, every);
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      resolve({ answer, ms: performance.now() - started, sent });
    });
  });
}

const pace = { whole: 600, every: 300, least: 100 };

/**
 * @param {import("node:test").TestContext} t
 * @param {(request: Request) => Promise<Response>} handler
 */
async function listening(t, handler) {
  const listener = await listen(handler, "127.0.0.1", 0, pace);
  t.after(() => listener.close(0));
  return listener;
}

/** @param {Request} request */
const reading = async (request) => new Response(`${(await request.arrayBuffer()).byteLength} bytes`);

const heads = {
  "a body with its length": "POST /v1/x HTTP/1.1\nhost: h\ncontent-length: 100000\n\n",
  "a body in chunks": "POST /v1/x HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n",
  "a body of a GET": "GET /v1/x HTTP/1.1\nhost: h\ncontent-length: 100000\n\n",
  "a push": "POST /o/r.git/git-receive-pack HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n",
  "a fetch": "POST /o/r.git/git-upload-pack HTTP/1.1\nhost: h\ncontent-length: 100000\n\n",
};

for (const [what, head] of Object.entries(heads)) {
  for (const [how, handler] of Object.entries({
    "that is read": reading,
    "that nobody reads": async () => new Response("answered"),
    "that is never answered": () => new Promise(() => {}),
  })) {
    test(`${what} ${how} is ended if it dribbles in, and if it stops`, async (t) => {
      const listener = await listening(t, /** @type {typeof reading} */ (handler));
      const piece = head.includes("chunked") ? "1\r\nx\r\n" : "x";
      for (const pieces of [Number.POSITIVE_INFINITY, 3]) {
        const { ms } = await send(listener, head, { piece, every: 50, pieces });
        assert.ok(ms < 5000, `${Math.round(ms)} ms`);
      }
    });
  }
}

test("a push that takes long and arrives steadily is not ended", async (t) => {
  const listener = await listening(t, reading);
  const head = "POST /o/r.git/git-receive-pack HTTP/1.1\nhost: h\nconnection: close\ncontent-length: 2000\n\n";
  const { answer, ms } = await send(listener, head, { piece: "x".repeat(50), every: 50, pieces: 40 });
  assert.match(answer, /^HTTP\/1.1 200[\s\S]*2000 bytes/);
  assert.ok(ms > 1900);
});

test("a push is not ended because the service reads slowly", async (t) => {
  let read = 0;
  const listener = await listening(t, async (request) => {
    for await (const chunk of /** @type {AsyncIterable<Uint8Array>} */ (/** @type {unknown} */ (request.body))) {
      read += chunk.byteLength;
      // Waits once, without reading, for as long as three checks take.
      if (read < 200_000) await delay(1000);
    }
    return new Response(`${read} bytes`);
  });
  const response = await fetch(`${listener.url}/o/r.git/git-receive-pack`, {
    method: "POST",
    body: new Uint8Array(5_000_000),
  });
  assert.equal(await response.text(), "5000000 bytes");
});

test("with a valid key a body that dribbles in is answered 408 after half a minute, and others meanwhile", async (t) => {
  const s = await start(t);
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "https://git.example.com/app.git" } });
  const port = Number(new URL(await s.listen()).port);
  const sent = [
    ["POST", "/v1/acme/repos"],
    ["PATCH", "/v1/acme/app"],
    ["POST", "/v1/acme/app/upstream/syncs"],
    ["POST", "/v1/acme/app/upstream/plan"],
    ["POST", "/v1/acme/webhook-targets"],
  ].map(([method, path]) => {
    const head = `${method} ${path} HTTP/1.1\nhost: h\nauthorization: Bearer ${s.keys.admin}\ncontent-length: 1000\n\n`;
    return send({ port }, head, { piece: " ", every: 500 });
  });
  assert.equal((await s.call("GET", "/acme/app"))[0], 200);
  for (const { answer, ms } of await Promise.all(sent)) {
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /"code":"TIMEOUT","message":"the body did not arrive within 30 s"/);
    assert.ok(ms > 29_000 && ms < 40_000, `${Math.round(ms)} ms`);
  }
});
