/**
 * Answers whose bodies are compressed.
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import { Duplex, PassThrough, pipeline, Readable } from "node:stream";
import * as zlib from "node:zlib";

/**
 * The decoded body of an answer with this `Content-Encoding`. Undefined if it is not encoded, or if the encoding is unknown. Then
 * the answer stays unchanged.
 */
export function decoded(answer: IncomingMessage, encoding: string): Readable | undefined {
  const names = encoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const steps = names.filter((name) => name !== "" && name !== "identity").map((name) => decoders.get(name));
  if (steps.length === 0 || steps.includes(undefined)) return undefined;
  // The server applied the encodings in this order, so they are undone in reverse.
  const streams = steps.reverse().map((step) => step?.() ?? new PassThrough());
  const end = new PassThrough();
  // An error of any stage appears at the last one. Destroying the last one destroys the answer.
  pipeline([answer, ...streams, end], () => {});
  return end;
}

/** The decoder for each encoding (RFC 9110, section 8.4.1). */
const decoders = new Map<string, () => Duplex>([
  ["gzip", () => zlib.createGunzip()],
  ["x-gzip", () => zlib.createGunzip()],
  ["deflate", () => Duplex.from(inflated)],
  ["br", () => zlib.createBrotliDecompress()],
]);

/** With zlib's header, as the specification wants it, or without, as some servers send it. */
async function* inflated(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  const { value: first, done } = await chunks.next();
  if (done) return;
  const hasHeader = (first.readUInt8() & 0x0f) === 8;
  const inflate = hasHeader ? zlib.createInflate() : zlib.createInflateRaw();
  inflate.write(first);
  yield* pipeline(Readable.from({ [Symbol.asyncIterator]: () => chunks }), inflate, () => {});
}
