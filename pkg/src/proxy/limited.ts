/**
 * Streams with a size limit.
 *
 * @module
 */

/** The limits of a stream. */
export interface Bounds {
  /** The most bytes. */
  maxBytes: number;
  /** Called for every chunk. */
  touch: () => void;
  /** Called once, when no more bytes will come: at the end, after an error, or if the reader cancels. */
  end?: (() => void) | undefined;
}

/** The same stream, but it fails after `maxBytes`. It is read on demand, so nothing piles up. */
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
