/**
 * Hostile sources: every kind of answer that does not end, that explodes in size, or that is very slow.
 *
 * `hostile()` serves all of them from one port. `url(kind)` is the URL of one.
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync } from "node:zlib";

import { portOf } from "../../support/network/listen.mjs";

/**
 * @typedef {import("node:http").ServerResponse} Response
 * @typedef {Iterable<Buffer> | AsyncIterable<Buffer>} Pieces
 * @typedef {{ list?: () => Pieces, fetch?: (request: string) => Pieces }} Kind
 */

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const TIP = "c".repeat(40);
/** A number of objects that is never reached, and that Git can still count. */
const MANY = 10_000_000;
const COMMIT = 1;
const BLOB = 3;
const REF_DELTA = 7;

/** @param {string} text */
const line = (text) => Buffer.from(`${(Buffer.byteLength(text) + 4).toString(16).padStart(4, "0")}${text}`);
const FLUSH = Buffer.from("0000");
/**
 * Splits bytes into side-band packets of the largest size.
 *
 * @param {number} band
 * @param {Buffer} bytes
 */
function* packets(band, bytes) {
  for (let at = 0; at < bytes.length; at += 65_515) {
    const part = bytes.subarray(at, at + 65_515);
    yield Buffer.concat([Buffer.from((part.length + 5).toString(16).padStart(4, "0")), Buffer.from([band]), part]);
  }
}

/**
 * Writes the pieces as fast as the client reads them.
 *
 * @param {Response} response
 * @param {Pieces} pieces
 */
async function send(response, pieces) {
  for await (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.write(piece)) await writable(response);
  }
  response.end();
}

/**
 * Waits until more can be written, or until the client stops reading.
 *
 * @param {Response} response
 */
async function writable(response) {
  const { promise, resolve } = withResolvers();
  response.on("drain", resolve).on("close", resolve);
  await promise;
  response.off("drain", resolve).off("close", resolve);
}

/** @returns {{ promise: Promise<void>, resolve: () => void }} */
function withResolvers() {
  let resolve = () => {};
  const promise = /** @type {Promise<void>} */ (new Promise((done) => (resolve = () => done(undefined))));
  return { promise, resolve };
}

/** The refs of every source whose list ends: one branch, which has another commit at the destination. */
const oneBranch = [line(`${TIP} refs/heads/main\n`), FLUSH];

/**
 * Numbered refs, in pieces of a thousand.
 *
 * @param {(n: number) => string} name
 */
function* refsWithoutEnd(name) {
  for (let n = 0; ; ) {
    const lines = [];
    for (const last = n + 1000; n < last; n += 1) lines.push(line(`${TIP} refs/heads/${name(n)}\n`));
    yield Buffer.concat(lines);
  }
}

/** @param {Buffer} bytes */
async function* dribbling(bytes) {
  for (const byte of bytes) {
    yield Buffer.from([byte]);
    await sleep(500);
  }
}

/**
 * An entry of a pack. Its data is deflated already.
 *
 * @param {number} kind
 * @param {number} size
 * @param {Buffer} data
 */
function entry(kind, size, data, between = Buffer.alloc(0)) {
  const head = [(kind << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    head.push((head.pop() ?? 0) | 0x80, rest & 0x7f);
  }
  return Buffer.concat([Buffer.from(head), between, data]);
}

/** @param {number} objects */
const packHeader = (objects) => {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0");
  header.writeUInt32BE(objects, 8);
  return header;
};

/**
 * @param {string} parent
 * @param {string} message
 */
const commitText = (parent, message) =>
  `tree ${EMPTY_TREE}\nparent ${parent}\nauthor A <a@example.org> 1 +0000\ncommitter A <a@example.org> 1 +0000\n\n${message}`;

/** @param {Buffer} commit */
const idOf = (commit) => createHash("sha1").update(`commit ${commit.length}\0`).update(commit).digest();

/**
 * Encodes in zlib's format without compression, because this is fast: a million entries take a second.
 *
 * @param {Buffer} content
 */
function stored(content) {
  const out = Buffer.alloc(content.length + 11);
  out.writeUInt16BE(0x7801, 0);
  out[2] = 1;
  out.writeUInt16LE(content.length, 3);
  out.writeUInt16LE(~content.length & 0xffff, 5);
  content.copy(out, 7);
  let [a, b] = [1, 0];
  for (const byte of content) {
    a += byte;
    b += a;
  }
  out.writeUInt16BE(b % 65_521, content.length + 7);
  out.writeUInt16BE(a % 65_521, content.length + 9);
  return out;
}

/**
 * The pieces of a pack, as the answer to a `fetch`. If the request asks which commits are known, the answer is: all of
 * them.
 *
 * @param {Pieces} pieces
 * @param {string} request
 */
async function* packed(pieces, request) {
  if (!request.includes("0009done\n")) {
    yield line("acknowledgments\n");
    for (const [, have] of request.matchAll(/have (\w+)/g)) yield line(`ACK ${have}\n`);
    yield Buffer.concat([line("ready\n"), Buffer.from("0001")]);
  }
  yield line("packfile\n");
  for await (const piece of pieces) yield* packets(1, piece);
  yield FLUSH;
}

function* commitsWithoutEnd() {
  yield packHeader(MANY);
  for (let n = 0; ; ) {
    const entries = [];
    for (const last = n + 500; n < last; n += 1) {
      const commit = Buffer.from(commitText(n.toString(16).padStart(40, "0"), ""));
      entries.push(entry(COMMIT, commit.length, stored(commit)));
    }
    yield Buffer.concat(entries);
  }
}

function* blobsWithoutEnd() {
  yield packHeader(MANY);
  const blob = Buffer.alloc(60_000, "x");
  const piece = entry(BLOB, blob.length, stored(blob));
  for (;;) yield piece;
}

/**
 * A delta that copies all of its base and adds a letter.
 *
 * @param {number} size
 */
function delta(size) {
  /** @param {number} n */
  const number = (n) => {
    const bytes = [];
    for (let rest = n; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...bytes, rest];
      bytes.push(0x80 | (rest & 0x7f));
    }
  };
  const bytes = [...number(size), ...number(size + 1)];
  for (let at = 0; at < size; at += 0xff_ffff) {
    const part = Math.min(0xff_ffff, size - at);
    bytes.push(0xff, at & 255, (at >> 8) & 255, (at >> 16) & 255, at >>> 24, part & 255, (part >> 8) & 255, part >> 16);
  }
  return Buffer.from([...bytes, 1, 120]);
}

/**
 * A commit of this many bytes, and many more commits as deltas of it: a pack of some kilobytes.
 *
 * @param {number} size
 * @param {number} deltas
 */
function bomb(size, deltas) {
  const head = commitText("a".repeat(40), "");
  const content = Buffer.alloc(size + deltas, "x");
  content.write(head);
  const entries = [packHeader(deltas + 1), entry(COMMIT, size, deflateSync(content.subarray(0, size), { level: 9 }))];
  for (let n = 0; n < deltas; n += 1) {
    const instructions = delta(size + n);
    const base = idOf(content.subarray(0, size + n));
    entries.push(entry(REF_DELTA, instructions.length, deflateSync(instructions), base));
  }
  const pack = Buffer.concat(entries);
  return [pack, createHash("sha1").update(pack).digest()];
}

/** A commit of 300 MB in a pack of 300 KB. */
const inflating = () => {
  const content = Buffer.alloc(300_000_000, "x");
  content.write(commitText("a".repeat(40), ""));
  return [packHeader(1), entry(COMMIT, content.length, deflateSync(content, { level: 9 }))];
};

/** Made before the first request, because it takes a second in which the server cannot answer. */
const bombs = { large: bomb(60_000_000, 5), many: bomb(4_000_000, 60), inflating: inflating() };

/**
 * The answers of each kind to `ls-refs` and to `fetch`.
 *
 * @type {Record<string, Kind>}
 */
const kinds = {
  "list dribbles": { list: () => dribbling(line(`${TIP} refs/heads/${"x".repeat(1000)}\n`)) },
  "list is silent": {
    list: async function* () {
      yield line(`${TIP} refs/heads/main\n`);
      await sleep(600_000, undefined, { ref: false });
    },
  },
  "list without end": { list: () => refsWithoutEnd((n) => `branch-of-somebody/${n}`) },
  "list of long names": { list: () => refsWithoutEnd((n) => `${n}-${"x".repeat(4000)}`) },
  "one packet without end": {
    list: async function* () {
      yield Buffer.from("fff0");
      for (;;) yield Buffer.alloc(65_536, "a");
    },
  },
  "words without end": {
    fetch: async function* () {
      yield line("packfile\n");
      const words = Buffer.concat([...packets(2, Buffer.from("Counting objects: 1\r".repeat(3000)))]);
      for (;;) yield words;
    },
  },
  "acknowledges without end": {
    fetch: function* () {
      yield line("acknowledgments\n");
      for (;;) yield Buffer.concat(Array(1000).fill(line(`ACK ${"b".repeat(40)}\n`)));
    },
  },
  "commits without end": { fetch: (request) => packed(commitsWithoutEnd(), request) },
  "blobs without end": { fetch: (request) => packed(blobsWithoutEnd(), request) },
  "pack dribbles": {
    fetch: async function* () {
      yield line("packfile\n");
      for (const start of packets(1, packHeader(1))) yield start;
      for (const packet of packets(1, stored(Buffer.alloc(60_000, "x")))) yield* dribbling(packet);
    },
  },
  "large deltas": { fetch: (request) => packed(bombs.large, request) },
  "many deltas": { fetch: (request) => packed(bombs.many, request) },
  "a large commit": { fetch: (request) => packed(bombs.inflating, request) },
};

/** Serves all kinds. */
export async function hostile() {
  const server = createServer(async (request, response) => {
    const [, kind = "", count] = decodeURIComponent(request.url ?? "").split("/");
    if (kind === "redirects") {
      const n = Number(count);
      response.writeHead(302, { location: `/redirects/${n + 1}/x.git/info/refs?service=git-upload-pack` }).end();
      return;
    }
    if (kind === "an error page without end") {
      response.writeHead(500, { "content-type": "text/plain" });
      await send(
        response,
        (function* () {
          for (;;) yield Buffer.alloc(65_536, "no ");
        })(),
      );
      return;
    }
    if (kind === "an error page that dribbles") {
      response.writeHead(403, { "content-type": "text/plain" });
      await send(response, dribbling(Buffer.alloc(1000, "no ")));
      return;
    }
    let body = "";
    for await (const chunk of request) body += chunk.toString("latin1");
    const isCapabilities = request.method === "GET";
    const type = `application/x-git-upload-pack-${isCapabilities ? "advertisement" : "result"}`;
    response.writeHead(200, { "content-type": type });
    if (isCapabilities) await send(response, ["version 2\n", "ls-refs\n", "fetch=filter\n"].map(line).concat(FLUSH));
    else if (body.includes("command=ls-refs")) await send(response, kinds[kind]?.list?.() ?? oneBranch);
    else await send(response, kinds[kind]?.fetch?.(body) ?? []);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${portOf(server)}`;
  return {
    /** @param {string} kind */
    url: (kind) => `${origin}/${encodeURIComponent(kind)}/0/x.git`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
