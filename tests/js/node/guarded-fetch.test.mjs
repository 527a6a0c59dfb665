import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip, gzipSync } from "node:zlib";

import { guardedFetch } from "refsync/node";

import { listenFor } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";

/** @import { TestContext } from "node:test" */

/**
 * @param {TestContext} t
 * @param {import("refsync/node").GuardedFetchOptions} [options]
 */
function local(t, options) {
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"], ...options });
  t.after(() => fetch.close());
  return fetch;
}

const refusal = { name: "AddressNotAllowedError", code: "ADDRESS_NOT_ALLOWED" };

for (const host of [
  "127.0.0.1",
  "localhost",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "0x7f.1",
  "2130706433",
  "0177.0.0.1",
  "0.0.0.0",
]) {
  test(`http://${host} is refused, and no connection is made`, async (t) => {
    let connections = 0;
    const server = createServer((_, response) => response.end());
    const { port } = new URL(await listenFor(t, server));
    server.on("connection", () => {
      connections += 1;
    });
    const fetch = guardedFetch();
    await assert.rejects(fetch(`http://${host}:${port}/`), refusal);
    assert.equal(connections, 0);
  });
}

test("the refusal names the host, the address and what to do", async () => {
  await assert.rejects(
    guardedFetch()("http://localhost:1/"),
    /localhost has the address .*(127\.0\.0\.1|::1).*--allow-private-network/,
  );
});

test("a redirect to a refused address is refused", async (t) => {
  const inner = await listenFor(
    t,
    createServer((_, response) => response.end("secret")),
  );
  const target = inner.replace("127.0.0.1", "127.0.0.2");
  const url = await listenFor(
    t,
    createServer((_, response) => response.writeHead(302, { location: target }).end()),
  );
  const fetch = guardedFetch({ allow: ["127.0.0.1/32"] });
  t.after(() => fetch.close());
  await assert.rejects(fetch(url), refusal);
});

test("a GET follows redirects, tells the final address, and keeps credentials from another origin", async (t) => {
  /** @type {(string | undefined)[][]} */
  const seen = [];
  const other = await listenFor(
    t,
    createServer((request, response) => {
      seen.push(["other", request.headers.authorization]);
      response.end("there");
    }),
  );
  const url = await listenFor(
    t,
    createServer((request, response) => {
      seen.push([request.url, request.headers.authorization]);
      const location = request.url === "/a" ? "/b" : `${other}/c?d`;
      response.writeHead(request.url === "/a" ? 301 : 307, { location }).end();
    }),
  );
  const response = await local(t)(`${url}/a`, { headers: { authorization: "Basic eDp5" } });
  assert.equal(await response.text(), "there");
  assert.equal(response.url, `${other}/c?d`);
  assert.equal(response.redirected, true);
  assert.deepEqual(seen, [
    ["/a", "Basic eDp5"],
    ["/b", "Basic eDp5"],
    ["other", undefined],
  ]);
});

test("redirects are not followed for ever, nor by a POST, nor where the request says error", async (t) => {
  const url = await listenFor(
    t,
    createServer((_, response) => response.writeHead(302, { location: "/again" }).end()),
  );
  const fetch = local(t);
  await assert.rejects(fetch(url), /after 10 redirects/);
  await assert.rejects(fetch(url, { method: "POST", body: "x" }), /only GET and HEAD follow redirects/);
  await assert.rejects(fetch(url, { redirect: "error" }), /does not follow/);
  assert.equal((await fetch(url, { redirect: "manual" })).status, 302);
});

test("sends bytes with their length and a stream in chunks, and reads the answer's status and headers", async (t) => {
  const url = await listenFor(
    t,
    createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      response.writeHead(201, "Made", {
        "x-length": request.headers["content-length"] ?? "none",
        "set-cookie": ["a=1", "b=2"],
      });
      response.end(Buffer.concat(chunks));
    }),
  );
  const fetch = local(t);
  const bytes = await fetch(url, { method: "POST", body: new Uint8Array([104, 105]) });
  assert.equal(bytes.status, 201);
  assert.equal(bytes.statusText, "Made");
  assert.equal(bytes.headers.get("x-length"), "2");
  assert.deepEqual(bytes.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(await bytes.text(), "hi");
  const body = new Blob(["stre", "am"]).stream();
  const streamed = await fetch(url, { method: "POST", body, duplex: "half" });
  assert.equal(streamed.headers.get("x-length"), "none");
  assert.equal(await streamed.text(), "stream");
});

for (const connection of ["keep-alive", "close"]) {
  test(`an early refusal (connection: ${connection}) is delivered at once and stops the upload`, async (t) => {
    const url = await listenFor(
      t,
      createServer((_, response) => response.writeHead(401, { connection }).end("who?")),
    );
    let cancelled = false;
    const body = new ReadableStream({
      async pull(controller) {
        await delay(1);
        controller.enqueue(new Uint8Array(64 * 1024));
      },
      cancel() {
        cancelled = true;
      },
    });
    const started = performance.now();
    const response = await local(t)(url, { method: "POST", body, duplex: "half" });
    assert.equal(response.status, 401);
    assert.equal(await response.text(), "who?");
    assert.ok(performance.now() - started < 2000, "the upload never ends on its own");
    await delay(20);
    assert.equal(cancelled, true);
  });
}

test("an answer that begins before the upload's end does not stop the upload", async (t) => {
  const url = await listenFor(
    t,
    createServer(async (request, response) => {
      response.writeHead(200).flushHeaders();
      let bytes = 0;
      for await (const chunk of request) bytes += chunk.length;
      response.end(String(bytes));
    }),
  );
  let left = 50;
  const body = new ReadableStream({
    async pull(controller) {
      await delay(2);
      if (left-- > 0) controller.enqueue(new Uint8Array(1000));
      else controller.close();
    },
  });
  const response = await local(t)(url, { method: "POST", body, duplex: "half" });
  assert.ok(left > 0, "the head came while the body was being sent");
  assert.equal(await response.text(), "50000");
});

test("aborting ends a request that waits, an upload, and an answer that is being read", async (t) => {
  let gone = 0;
  const url = await listenFor(
    t,
    createServer((request, response) => {
      request.socket.once("close", () => {
        gone += 1;
      });
      request.resume();
      if (request.url === "/read") response.write("some");
    }),
  );
  const fetch = local(t);
  const waiting = new AbortController();
  const waits = fetch(`${url}/wait`, { signal: waiting.signal });
  setTimeout(() => waiting.abort(), 50);
  await assert.rejects(waits, { name: "AbortError" });

  const uploading = new AbortController();
  const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) });
  const uploads = fetch(`${url}/upload`, { method: "POST", body, duplex: "half", signal: uploading.signal });
  setTimeout(() => uploading.abort(new Error("enough")), 50);
  await assert.rejects(uploads, /enough/);

  const reading = new AbortController();
  const response = await fetch(`${url}/read`, { signal: reading.signal });
  setTimeout(() => reading.abort(), 50);
  await assert.rejects(response.text(), { name: "AbortError" });

  await assert.rejects(fetch(url, { signal: AbortSignal.abort() }), { name: "AbortError" });
  await delay(50);
  assert.equal(gone, 3, "the server sees each connection close");
});

test("cancelling an answer closes its connection", async (t) => {
  let closed = () => {};
  const gone = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      closed = resolve;
    })
  );
  const url = await listenFor(
    t,
    createServer((request, response) => {
      request.socket.once("close", closed);
      response.write("endless");
    }),
  );
  const response = await local(t)(url);
  await response.body?.cancel();
  await gone;
});

test("an answer that is cut short fails instead of ending", async (t) => {
  const url = await listenFor(
    t,
    createTcpServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    }),
  );
  const response = await local(t)(url);
  await assert.rejects(response.text());
});

test("a GET on a kept-alive connection that the server has closed is sent once more, a POST is not", async (t) => {
  // Answers one request on each connection. When the next one comes, it closes the connection without an answer.
  let connections = 0;
  const url = await listenFor(
    t,
    createTcpServer((socket) => {
      connections += 1;
      let answered = false;
      socket.on("data", () => {
        if (answered) return socket.destroy();
        answered = true;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    }),
  );
  const fetch = local(t);
  /** @param {RequestInit} [init] */
  const once = async (init) => {
    const response = await fetch(url, init);
    await response.text();
    // The connection becomes free after the turn that read its last byte.
    await delay(10);
  };
  await once();
  await once();
  assert.equal(connections, 2, "the second GET met the closed connection and opened another");
  await assert.rejects(once({ method: "POST", body: "x" }), { code: "ECONNRESET" });
  assert.equal(connections, 2, "a POST may have been acted on");
});

test("gzip is asked for only with `decompress`, and unpacked wherever it comes", async (t) => {
  const url = await listenFor(
    t,
    createServer((request, response) => {
      response.setHeader("content-encoding", "gzip");
      response.setHeader("x-accepted", request.headers["accept-encoding"] ?? "nothing");
      response.end(gzipSync("packed"));
    }),
  );
  for (const { options, accepted } of [
    { options: {}, accepted: "nothing" },
    { options: { decompress: true }, accepted: "gzip" },
  ]) {
    const answer = await local(t, options)(url);
    assert.equal(answer.headers.get("x-accepted"), accepted);
    assert.equal(answer.headers.get("content-encoding"), null);
    assert.equal(await answer.text(), "packed");
  }
});

test("an answer in an unknown encoding is left alone and says so", async (t) => {
  const url = await listenFor(
    t,
    createServer((_, response) => response.writeHead(200, { "content-encoding": "gzip, lzma" }).end("as it came")),
  );
  const answer = await local(t)(url);
  assert.equal(answer.headers.get("content-encoding"), "gzip, lzma");
  assert.equal(await answer.text(), "as it came");
});

test("cancelling a compressed answer closes its connection", async (t) => {
  let closed = () => {};
  /** @type {Promise<void>} */
  const gone = new Promise((resolve) => {
    closed = resolve;
  });
  const url = await listenFor(
    t,
    createServer((request, response) => {
      request.socket.once("close", closed);
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write("endless");
      gzip.flush();
    }),
  );
  const answer = await local(t)(url);
  assert.ok(answer.body);
  const reader = answer.body.getReader();
  const { value } = await reader.read();
  assert.equal(Buffer.from(value ?? []).toString(), "endless");
  await reader.cancel();
  await gone;
});

test("a refused connection says so, and a URL's credentials are not repeated", async () => {
  const fetch = guardedFetch({ allowPrivateNetwork: true });
  await assert.rejects(fetch("http://127.0.0.1:1/"), { code: "ECONNREFUSED", message: /ECONNREFUSED/ });
  await assert.rejects(fetch("http://localhost:1/"), { code: "ECONNREFUSED", message: /ECONNREFUSED/ });
  await assert.rejects(
    fetch("http://user:hunter2@127.0.0.1:1/"),
    (error) => error instanceof Error && !error.message.includes("hunter2"),
  );
  await assert.rejects(fetch("ftp://example.com/"), /only http and https/);
});

test("an upload to a slow reader, and a slowly read answer, are held back instead of kept in memory", async (t) => {
  const total = 200 * 1024 * 1024;
  const chunk = new Uint8Array(64 * 1024).fill(7);
  const url = await listenFor(
    t,
    createServer(async (request, response) => {
      if (request.method === "GET") {
        for (let sent = 0; sent < total; sent += chunk.length) {
          if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
        }
        return response.end();
      }
      let bytes = 0;
      for await (const piece of request) {
        bytes += piece.length;
        if (bytes % (16 * 1024 * 1024) < piece.length) await delay(20);
      }
      response.end(String(bytes));
    }),
  );
  const fetch = local(t);
  let peak = 0;
  const before = process.memoryUsage().rss;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }, 5);
  t.after(() => clearInterval(watch));

  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent >= total) return controller.close();
      sent += chunk.length;
      controller.enqueue(chunk.slice());
    },
  });
  const upload = await fetch(url, { method: "POST", body, duplex: "half" });
  assert.equal(await upload.text(), String(total));

  let read = 0;
  for await (const piece of present((await fetch(url)).body)) {
    read += piece.length;
    if (read % (16 * 1024 * 1024) < piece.length) await delay(20);
  }
  assert.equal(read, total);
  // Node's collector may keep garbage for a while. So the bound is far below the 200 MB, but not close to the buffers'
  // size.
  assert.ok(peak < 110 * 1024 * 1024, `the peak was ${Math.round(peak / 1024 / 1024)} MB above the start`);
});
