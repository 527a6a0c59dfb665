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
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        const finish = (error?: unknown) => {
          if (!open) return;
          open = false;
          if (error) controller.error(error);
          else controller.close();
        };
        source.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
          if (!open) return;
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) source.pause();
        });
        source.on("error", finish);
        source.on("end", () => finish(isWhole() ? undefined : cutShort()));
        source.on("close", () => finish(source.readableEnded && isWhole() ? undefined : cutShort()));
        source.pause();
      },
      pull() {
        source.resume();
      },
      cancel() {
        open = false;
        onCancel();
      },
    },
    // One piece beyond what is being read: enough to keep both sides busy.
    { highWaterMark: 64 * 1024, size: (chunk) => chunk.byteLength },
  );
}

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
      if (!sink.write(value)) await writable(sink, stop);
    }
    cancel();
  } finally {
    stop.removeEventListener("abort", cancel);
    sink.off("close", cancel);
  }
}

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
