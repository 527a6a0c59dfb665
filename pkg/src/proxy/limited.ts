/**
 * Streams with a bound.
 *
 * @module
 */

/** What a stream is bound by. */
export interface Bounds {
  /** The most bytes. */
  maxBytes: number;
  /** Called for every chunk. */
  touch: () => void;
  /** Called once nothing more comes: at the end, at an error, and when nobody reads any further. */
  end?: (() => void) | undefined;
}

/** The same stream, which fails past `maxBytes`. It is read as its reader asks, so that nothing piles up. */
export function limited(
  stream: ReadableStream<Uint8Array>,
  { maxBytes, touch, end }: Bounds,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let bytes = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          touch();
          if (done) {
            controller.close();
            end?.();
            return;
          }
          bytes += value.byteLength;
          if (bytes > maxBytes) throw new RangeError(`the body has more than ${maxBytes} bytes`);
          controller.enqueue(value);
        } catch (error) {
          controller.error(error);
          await reader.cancel(error).catch(() => {});
          end?.();
        }
      },
      async cancel(reason) {
        await reader.cancel(reason).catch(() => {});
        end?.();
      },
    },
    { highWaterMark: 0 },
  );
}
