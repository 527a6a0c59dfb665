// Sends a thousand malformed requests. There must be no 5xx and no hang, and the error body must describe the error.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { start } from "../support.mjs";
import { malformed } from "./malformed-calls.mjs";

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @param {string} what
 * @returns {Promise<T>}
 */
function within(milliseconds, promise, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms: ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

test("nine hundred malformed calls are refused in words, and none takes long", async (t) => {
  const { service, ok, keys } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/x.git" } });
  const { id } = await ok("POST", "/acme/webhook-targets", { url: "http://127.0.0.1:9/" });
  /** @type {Record<number, number>} */
  const statuses = {};
  for (const { path, method, body, headers, what } of malformed(900, { key: keys.admin, targetId: id })) {
    const request = new Request(`http://service.test/v1${path}`, { method, body, headers });
    const response = await within(10_000, service.fetch(request), what);
    // The only expected 5xx is a plan whose upstream cannot be reached.
    if (response.status >= 500)
      assert.ok(path.includes("/plan") && response.status === 503, `${response.status} ${what}`);
    const text = await within(10_000, response.text(), what);
    if (response.status >= 400 && method !== "HEAD") {
      const { error } = JSON.parse(text);
      assert.match(error.code, /^[A-Z_]+$/, what);
      assert.ok(error.message.length > 0, what);
      assert.ok(!text.includes(keys.admin), what);
    }
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(statuses));
  for (const status of [400, 401, 404, 406]) assert.ok(Number(statuses[status]) > 20, `${status} is among them`);
  assert.equal((await ok("GET", "/acme")).slug, "acme", "it still answers");
});

test("a hundred requests that are not HTTP, or break off, are answered with a 4xx or cut, and harm no other", async (t) => {
  const { listen, keys, ok } = await start(t);
  const origin = await listen();
  const port = Number(new URL(origin).port);
  /**
   * @param {string} line
   * @param {string[]} headers
   */
  const head = (line, ...headers) =>
    [line, "Host: x", `Authorization: Bearer ${keys.admin}`, ...headers, "", ""].join("\r\n");
  const raw = [
    "\r\n\r\n\r\n",
    "GET\r\n\r\n",
    "GET /v1/whoami HTTP/9.9\r\nHost: x\r\n\r\n",
    "G\0T /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://[/v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/whoami HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET /v1/whoami HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    head(`GET /v1/${"a/".repeat(20_000)} HTTP/1.1`),
    head("GET /v1/whoami HTTP/1.1", `X-Long: ${"a".repeat(100_000)}`),
    head("GET /v1/whoami HTTP/1.1", ...Array.from({ length: 3000 }, (_, n) => `X-${n}: 1`)),
    head("POST /v1/acme/repos HTTP/1.1", "Content-Length: -1"),
    head("POST /v1/acme/repos HTTP/1.1", "Content-Length: 5", "Content-Length: 6"),
    head("POST /v1/acme/repos HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"),
    `${head("POST /v1/acme/repos HTTP/1.1", "Transfer-Encoding: chunked")}zz\r\n`,
    `${head("POST /v1/acme/repos HTTP/1.1", "Transfer-Encoding: chunked")}ffffffffffffffffff\r\n`,
    `${head("POST /v1/acme/repos HTTP/1.1", "Content-Length: 100")}{"name":`,
    `${head("POST /acme/app.git/git-receive-pack HTTP/1.1", "Content-Length: 20", "Content-Type: text/plain")}0000`,
    head("CONNECT 127.0.0.1:80 HTTP/1.1"),
  ];
  /**
   * @param {string} text
   * @returns {Promise<string>}
   */
  const send = (text) =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.end(Buffer.from(text, "latin1")));
      let answer = "";
      socket.setEncoding("latin1").on("data", (chunk) => (answer += chunk));
      socket.on("error", () => {});
      socket.on("close", () => resolve(answer));
    });
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(raw.map((text) => within(15_000, send(text), text.slice(0, 60))));
    for (const [at, answer] of answers.entries()) {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
      assert.ok(status < 500, `${status}: ${raw[at]?.slice(0, 60)}`);
    }
    assert.equal((await ok("GET", "/whoami")).org.slug, "acme");
  }
  assert.equal((await fetch(`${origin}/v1/whoami`, { headers: { authorization: `Bearer ${keys.read}` } })).status, 200);
  assert.equal((await ok("GET", "/acme")).num_repos, 0, "nothing that broke off was done");
});
