// The Node middleware in real servers: Node's own, Express and Fastify.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import express from "express";
import fastify from "fastify";
import { nodeMiddleware, signTestPayload, Webhooks } from "refsync/webhooks";

/** @import { AddressInfo } from "node:net" */

const SECRET = "whsec_one";
let made = 0;

/** A receiver, and the ids that its handler has seen. */
function receiver() {
  /** @type {string[]} */
  const seen = [];
  const webhooks = new Webhooks({
    secret: SECRET,
    on: {
      other: ({ id, data }) => {
        if (JSON.stringify(data).includes("fail")) throw new Error("failed as asked");
        seen.push(id);
      },
    },
    onError: () => {},
  });
  return { seen, webhooks };
}

/**
 * Sends an event as the service does.
 *
 * @param {string} url
 * @param {{ secret?: string, data?: object, method?: string }} [how]
 */
async function send(url, { secret = SECRET, data = { text: "\u00e4 \u{1f511}" }, method = "POST" } = {}) {
  made += 1;
  const id = `evt_${made}`;
  const body = JSON.stringify({ id, type: "repo.created", data }, null, 2);
  const headers = { "content-type": "application/json", "x-mesa-signature": await signTestPayload(body, secret) };
  const response = await fetch(url, { method, headers, ...(method === "POST" && { body }) });
  return { id, status: response.status, text: await response.text() };
}

/**
 * Calls the hook at `url` in every way that a sender may.
 *
 * @param {string} url
 * @param {string[]} seen
 */
async function answersAsItShould(url, seen) {
  const good = await send(url);
  assert.deepEqual([good.status, good.text], [204, ""]);
  assert.deepEqual(seen, [good.id]);
  const wrong = await send(url, { secret: "other" });
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /the signature does not match the secret/);
  assert.equal((await send(url, { data: { fail: true } })).status, 500, "so that it is sent again");
  assert.equal((await fetch(url, { method: "POST", body: "{}" })).status, 401);
  const large = await send(url, { data: { text: "x".repeat(3_000_000) } });
  assert.deepEqual(seen, [good.id, large.id], "a body of many chunks");
}

/**
 * Runs `use` with the address of a server.
 *
 * @param {import("node:http").Server} server
 * @param {(url: string) => Promise<void>} use
 */
async function listening(server, use) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  try {
    await use(`http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("Node's own server", async () => {
  const { seen, webhooks } = receiver();
  await listening(createServer(nodeMiddleware(webhooks, { path: "/hooks" })), async (url) => {
    await answersAsItShould(`${url}/hooks?from=refsync`, seen);
    assert.equal((await send(`${url}/other`)).status, 404);
    assert.equal((await send(`${url}/hooks`, { method: "GET" })).status, 405);
  });
});

test("no request that a sender may write ends the process", async () => {
  const { seen, webhooks } = receiver();
  await listening(createServer(nodeMiddleware(webhooks, { path: "/hooks" })), async (url) => {
    for (const head of [
      "GET // HTTP/1.1",
      "POST http:// HTTP/1.1",
      "POST //[ HTTP/1.1",
      "OPTIONS * HTTP/1.1",
      "POST /hooks HTTP/1.1\r\nx-mesa-signature: t=1\r\nx-mesa-signature: sha256=2",
    ]) {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.write(`${head}\r\nhost: h\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`);
      const [answer] = await once(socket, "data");
      assert.match(String(answer), /^HTTP\/1\.1 4\d\d /, head);
      socket.destroy();
    }
    await answersAsItShould(`${url}/hooks`, seen);
  });
});

test("a body that is too large is refused before it is sent", async () => {
  const { webhooks } = receiver();
  await listening(createServer(nodeMiddleware(webhooks)), async (url) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 67108865\r\n\r\n{");
    const [answer] = await once(socket, "data");
    assert.match(String(answer), /^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});

test("a misspelt option of the middleware or of a test signature is refused", async () => {
  const { webhooks } = receiver();
  /** @type {any} */
  const misspelt = { pth: "/hooks", timestmp: 1 };
  assert.throws(() => nodeMiddleware(webhooks, misspelt), /nodeMiddleware: pth is not an option; did you mean path\?/);
  assert.throws(() => nodeMiddleware(webhooks, { path: "hooks" }), /nodeMiddleware: path must start with a slash/);
  await assert.rejects(signTestPayload("{}", SECRET, misspelt), /timestmp is not an option; did you mean timestamp\?/);
});

test("a sender that breaks off its request ends neither the server nor the process", async () => {
  const { seen, webhooks } = receiver();
  await listening(createServer(nodeMiddleware(webhooks)), async (url) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST / HTTP/1.1\r\nhost: h\r\nx-mesa-signature: t=1\r\ncontent-length: 1000\r\n\r\n{");
    await delay(100);
    socket.resetAndDestroy();
    await delay(100);
    await answersAsItShould(url, seen);
  });
});

test("Express, before the JSON parser and behind the raw one", async () => {
  for (const before of [[], [express.raw({ type: "*/*", limit: "10mb" })]]) {
    const { seen, webhooks } = receiver();
    const app = express();
    app.post("/hooks", ...before, nodeMiddleware(webhooks));
    app.use(express.json());
    app.post("/other", (request, response) => void response.json(request.body));
    await listening(createServer(app), async (url) => {
      await answersAsItShould(`${url}/hooks`, seen);
      assert.equal((await send(`${url}/other`)).status, 200, "other routes have their parser");
    });
  }
});

test("Express with the path in the middleware passes other requests on", async () => {
  const { seen, webhooks } = receiver();
  const app = express();
  app.use(nodeMiddleware(webhooks, { path: "/hooks" }));
  app.get("/", (_, response) => void response.send("hello"));
  await listening(createServer(app), async (url) => {
    await answersAsItShould(`${url}/hooks`, seen);
    assert.equal(await (await fetch(url)).text(), "hello");
  });
});

test("behind a parser of JSON, Express's error handler hears what to do", async () => {
  const { seen, webhooks } = receiver();
  const app = express();
  app.use(express.json());
  app.post("/hooks", nodeMiddleware(webhooks));
  /** @type {import("express").ErrorRequestHandler} */
  const onError = (error, _request, response, _next) => void response.status(500).send(error.message);
  app.use(onError);
  await listening(createServer(app), async (url) => {
    const { status, text } = await send(`${url}/hooks`);
    assert.equal(status, 500);
    assert.match(text, /the body was parsed before.*put the middleware before express\.json\(\)/);
    assert.deepEqual(seen, []);
  });
});

test("Fastify, in a hook before its parser", async () => {
  const { seen, webhooks } = receiver();
  const app = fastify();
  const middleware = nodeMiddleware(webhooks);
  app.post("/hooks", {
    onRequest: async (request, reply) => {
      reply.hijack();
      await middleware(request.raw, reply.raw);
    },
    handler: async () => assert.fail("the hook has answered"),
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  try {
    await answersAsItShould(`${url}/hooks`, seen);
  } finally {
    await app.close();
  }
});

test("Fastify with a raw body, by verify", async () => {
  const { webhooks } = receiver();
  const app = fastify();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.post("/hooks", async (request) => {
    const signature = request.headers["x-mesa-signature"];
    const event = await webhooks.verify(/** @type {Buffer<ArrayBuffer>} */ (request.body), `${signature}`);
    return { id: event.id };
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  try {
    const { id, status, text } = await send(`${url}/hooks`);
    assert.deepEqual([status, JSON.parse(text)], [200, { id }]);
  } finally {
    await app.close();
  }
});
