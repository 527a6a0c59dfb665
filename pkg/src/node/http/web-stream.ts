/**
 * Node's streams from and to the web's, with backpressure. `Readable.toWeb` and `fromWeb` do the same at twice the
 * cost, and turn a cancelled body into an unhandled `AbortError`.
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";

/**
 * What `source` gives, as its reader asks for it. Cancelling calls `onCancel`, by default destroying the source.
 *
 * What comes within one turn, or waits when the reader asks, is given as one chunk: a server that writes a line at a time
 * would otherwise cost a promise for each line.
 *
 * `isWhole` tells, once the source has closed, whether all of it came; where not, the stream fails.
 */
export function readableFrom(
  source: Readable,
  {
    onCancel = () => void source.destroy(),
    isWhole = () => true,
  }: { onCancel?: () => void; isWhole?: () => boolean } = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let open = true;
  let isAwaited = false;
  let held: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const give = (controller: ReadableStreamDefaultController) => {
    if (!open || !isAwaited || size === 0) return;
    isAwaited = false;
    const [chunk, ...more] = held;
    controller.enqueue(more.length === 0 ? chunk : Buffer.concat(held));
    [held, size] = [[], 0];
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        const finish = (error?: unknown) => {
          if (!open) return;
          if (!error && size > 0) {
            isAwaited = true;
            give(controller);
          }
          open = false;
          if (error) controller.error(error);
          else controller.close();
        };
        source.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
          if (!open) return;
          if (size === 0 && isAwaited) queueMicrotask(() => give(controller));
          held.push(chunk);
          size += chunk.byteLength;
          if (size >= MAX_HELD) source.pause();
        });
        source.on("error", finish);
        source.on("end", () => finish(isWhole() ? undefined : cutShort()));
        source.on("close", () => finish(source.readableEnded && isWhole() ? undefined : cutShort()));
        source.pause();
      },
      pull(controller) {
        isAwaited = true;
        give(controller);
        source.resume();
      },
      cancel() {
        open = false;
        held = [];
        onCancel();
      },
    },
    // Nothing is kept ahead here: what waits is in `held`, where it can still be joined.
    { highWaterMark: 0 },
  );
}

/** How many bytes wait for a reader before the source is paused: enough to keep both sides busy. */
const MAX_HELD = 128 * 1024;

/**
 * Writes `body` into `sink` and ends it, waiting where the sink is full. Stops where `stop` fires or the sink closes,
 * cancelling the body; a body that fails rejects, with the sink left open.
 */
export async function pipe(body: ReadableStream<Uint8Array>, sink: Writable, stop: AbortSignal): Promise<void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  stop.addEventListener("abort", cancel, { once: true });
  sink.once("close", cancel);
  try {
    while (!stop.aborted && !sink.destroyed) {
      const { done, value } = await reader.read();
      if (stop.aborted || sink.destroyed) return;
      if (done) {
        sink.end();
        return;
      }
      // Not at every full buffer, which is one chunk: while one is being sent the next is on its way.
      if (!sink.write(value) && sink.writableLength > MAX_UNSENT) await writable(sink, stop);
    }
    cancel();
  } finally {
    stop.removeEventListener("abort", cancel);
    sink.off("close", cancel);
  }
}

/** How many bytes may wait to be sent. */
const MAX_UNSENT = 256 * 1024;

/** Waits until the sink takes more, closes, or `stop` fires. */
function writable(sink: Writable, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted || sink.destroyed) return resolve();
    const done = () => {
      sink.off("drain", done);
      sink.off("close", done);
      stop.removeEventListener("abort", done);
      resolve();
    };
    sink.on("drain", done);
    sink.on("close", done);
    stop.addEventListener("abort", done);
  });
}

function cutShort(): Error {
  return Object.assign(new Error("the connection closed before the whole answer came"), { code: "ECONNRESET" });
}
