/** Hosts whose answers are correct Git in an unusual form. For each form, Git shows whether it can read it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

import { both, fails, gitWith, repositories, works } from "./both.mjs";

/**
 * @typedef {import("./front.mjs").Habit} Habit
 * @typedef {import("./front.mjs").Passed} Passed
 */

/**
 * Changes the headers and the body of each of Git's answers.
 *
 * @param {(answer: Passed) => Partial<Passed>} change
 * @returns {Habit}
 */
const changing = (change) => ({
  answer: async (request, pass) => {
    const answer = await pass(request);
    return { ...answer, ...change(answer) };
  },
});

/** @type {(name: string, encode: (body: Buffer) => Buffer) => Habit} */
const encoded = (name, encode) =>
  changing(({ headers, body }) => ({ headers: { ...headers, "content-encoding": name }, body: encode(body) }));

/** @param {(type: string | undefined) => string | undefined} type */
const typed = (type) =>
  changing(({ headers: { "content-type": given, ...headers } }) => {
    const changed = type(given);
    return { headers: changed === undefined ? headers : { ...headers, "content-type": changed } };
  });

/**
 * Writes each answer by hand. `form(head, body)` returns its bytes. The head contains the length and closes the connection.
 *
 * @param {(head: string, body: Buffer) => (string | Buffer)[]} form
 * @returns {Habit}
 */
const written = (form) => ({
  answer: async (request, pass) => {
    const { status, headers, body } = await pass(request);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${status} OK\r\n${lines.join("")}content-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    const parts = form(head, body).map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part));
    return { raw: (socket) => socket.end(Buffer.concat(parts)) };
  },
});

/** @param {string} head */
const withoutLength = (head) => head.replace(/content-length.*\r\n/, "");
/** @type {(head: string, line: string) => string} */
const withHeader = (head, line) => head.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
/** @param {Buffer} body */
const chunked = (body, extra = "") => [`${body.length.toString(16)}${extra}\r\n`, body, "\r\n0\r\n"];

const habits = {
  "is compressed with gzip": encoded("gzip", gzipSync),
  "is compressed with x-gzip": encoded("x-gzip", gzipSync),
  "is compressed with GZIP": encoded("GZIP", gzipSync),
  "is compressed with deflate": encoded("deflate", deflateSync),
  "is compressed with deflate, without zlib's header": encoded("deflate", deflateRawSync),
  "is compressed with br": encoded("br", brotliCompressSync),
  "is compressed with gzip and then with br": encoded("gzip, br", (body) => brotliCompressSync(gzipSync(body))),
  "says that it is not encoded": encoded("identity", (body) => body),
  "names its type in upper case": typed((type) => type?.toUpperCase()),
  "names its type with a parameter": typed((type) => `${type}; charset=utf-8`),
  "comes in HTTP/1.0, which knows no chunks": written((head, body) => [
    withoutLength(head).replace("HTTP/1.1", "HTTP/1.0"),
    body,
  ]),
  "comes in HTTP/1.0 without a word on its connection": written((head, body) => [
    withoutLength(head).replace("HTTP/1.1", "HTTP/1.0").replace("connection: close\r\n", ""),
    body,
  ]),
  "ends where its connection ends": written((head, body) => [withoutLength(head), body]),
  "has no reason phrase": written((head, body) => [head.replace(" OK", ""), body]),
  "has chunks with extensions and a trailer": written((head, body) => [
    withHeader(withoutLength(head), "Transfer-Encoding: Chunked"),
    ...chunked(body, ";name=value"),
    "X-Trailer: 1\r\n\r\n",
  ]),
  "comes behind early hints": written((head, body) => ["HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", head, body]),
};

/** Answers that Node's own `fetch` refuses to read. */
const loose = {
  "comes behind a 100 that nobody asked for": written((head, body) => ["HTTP/1.1 100 Continue\r\n\r\n", head, body]),
  "ends its header lines without a CR": written((head, body) => [head.replaceAll("\r\n", "\n"), body]),
  "has chunks and names a length, too": written((head, body) => [
    withHeader(head, "Transfer-Encoding: chunked"),
    ...chunked(body),
    "\r\n",
  ]),
  "has a header on two lines": written((head, body) => [withHeader(head, "X-Folded: a\r\n b"), body]),
  "names the transfer encoding identity": written((head, body) => [
    withHeader(head, "Transfer-Encoding: identity"),
    body,
  ]),
};

for (const [name, habit] of Object.entries(habits)) {
  test(`a host whose answer ${name} works, as with Git`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true });
    await both(t, repos, habit, works(repos));
  });
}

for (const [name, habit] of Object.entries(loose)) {
  test(`a host whose answer ${name} works with the command, as with Git`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true });
    await both(t, repos, habit, works(repos), { only: "the command's fetch" });
  });
}

test("an answer without a content type is read if it is Git's", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const habit = typed(() => undefined);
  assert.deepEqual(await gitWith(t, repos, habit), { lists: false, pushes: false }, "Git itself insists on the type");
  await both(t, repos, habit, works(repos));
});

test("an answer in an unknown encoding is an error that names it, as with Git", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const habit = encoded("lzma", (body) => body);
  assert.deepEqual(await gitWith(t, repos, habit), { lists: false, pushes: false });
  await both(t, repos, habit, fails(repos, "unsupported", /content encoding "lzma"/, /gzip/));
});

test("the words of an error page are read though they are compressed", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const headers = { "content-type": "Text/Plain; charset=utf-8", "content-encoding": "gzip" };
  const habit = { answer: async () => ({ status: 403, headers, body: gzipSync("the licence has expired") }) };
  await both(t, repos, habit, fails(repos, "forbidden", /the licence has expired/));
});

test("a compressed answer that breaks off is a failure", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const cut = (/** @type {Buffer} */ body) => gzipSync(body).subarray(0, -12);
  const habit = encoded("gzip", cut);
  await both(t, repos, habit, async (what, { error }, destination) => {
    assert.equal(error?.retryable, true, `${what}: ${error}`);
    assert.equal(await repos.refs(destination), "", what);
  });
});

test("a plain file server says so: its Git is of the dumb kind", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  for (const type of ["text/plain; charset=UTF-8", "application/octet-stream", undefined]) {
    const body = `${"a".repeat(40)}\trefs/heads/main\n`;
    /** @type {Habit} */
    const habit = { answer: async () => ({ status: 200, headers: type ? { "content-type": type } : {}, body }) };
    await both(t, repos, habit, fails(repos, "not_a_git_server", /dumb HTTP/));
  }
});

test("a server that closes a connection as soon as it is idle works, as with Git", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  /** @type {Map<import("node:net").Socket, number>} */
  const answered = new Map();
  /** @type {Habit} */
  const habit = {
    early: (_, response) => {
      const { socket } = response;
      if (!socket) return false;
      const count = (answered.get(socket) ?? 0) + 1;
      answered.set(socket, count);
      const closeIfIdle = () => answered.get(socket) === count && socket.destroy();
      response.on("finish", () => setTimeout(closeIfIdle, 2));
      return false;
    },
  };
  assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true });
  await both(t, repos, habit, works(repos));
});

test("a proxy that drops the body of a request without a length gets a small push, as from Git", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  /** @type {Habit} */
  const habit = {
    answer: async (request, pass) =>
      pass(request.headers["transfer-encoding"] ? { ...request, body: Buffer.alloc(0) } : request),
  };
  assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true });
  await both(t, repos, habit, works(repos));
});

test("a proxy that answers 502, 503 or 504 once with a page is asked again; Git gives up", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  for (const status of [502, 503, 504]) {
    /** @returns {Habit} */
    const habit = () => {
      let count = 0;
      const page = { status, headers: { "content-type": "text/html" }, body: "<html>Bad gateway</html>" };
      return { answer: async (request, pass) => (count++ === 0 ? page : pass(request)) };
    };
    assert.equal((await gitWith(t, repos, habit)).lists, false);
    await both(t, repos, habit, works(repos));
  }
});

test("a source that refuses the first question is asked in the protocol's order", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  for (const status of [400, 401, 403, 404, 405, 411, 415, 500, 501]) {
    /** @returns {Habit} */
    const habit = () => {
      let isKnown = false;
      return {
        answer: async (request, pass) => {
          if (request.url.includes("/info/refs")) isKnown = true;
          return isKnown ? pass(request) : { status, headers: { "content-type": "text/html" }, body: "<html></html>" };
        },
      };
    };
    assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true }, "it asks in that order");
    await both(t, repos, habit, works(repos));
  }
});
