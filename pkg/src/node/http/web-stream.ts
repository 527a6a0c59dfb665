/**
 * Converts Node's streams from and to web streams, with backpressure. `Readable.toWeb` and `fromWeb` cost twice as much, and turn a
 * cancelled body into an unhandled `AbortError`.
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";

/**
 * The chunks of `source`, read on demand. Cancelling calls `onCancel`, which destroys the source by default.
 *
 * Bytes that come within one turn of the event loop, or that wait for the reader, become one chunk. Otherwise a server that writes line
 * by line would cost a promise for each line.
 *
 * When the source has closed, `isWhole` says whether all of it came. If not, the stream fails.
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
    // The stream has no queue of its own: waiting bytes are in `held`, where they can still be joined.
    { highWaterMark: 0 },
  );
}

/** The source is paused if this many bytes wait for the reader. It is enough to keep both sides busy. */
const MAX_HELD = 128 * 1024;

/**
 * Writes `body` into `sink` and ends the sink. Waits while the sink is full. If `stop` fires or the sink closes, it cancels the body.
 * If the body fails, it rejects, and the sink stays open.
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
      // Does not wait for each chunk: while one is being sent, the next one is read.
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

/** Waits until the sink accepts more, it closes, or `stop` fires. */
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
