/**
 * The end of requests that nobody waits for.
 *
 * @module
 */

/** Aborts what is silent for too long, or whose client has gone; `end` says that it is over, once. */
export function watchdog(client: AbortSignal, idleTimeout: number, over: () => void) {
  const controller = new AbortController();
  const stop = () => controller.abort(client.reason);
  const silent = () => controller.abort(new Error(`nothing came for ${idleTimeout} ms`));
  let timer = setTimeout(silent, idleTimeout);
  let isOver = false;
  client.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    touch: () => {
      clearTimeout(timer);
      if (!isOver) timer = setTimeout(silent, idleTimeout);
    },
    end: () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      client.removeEventListener("abort", stop);
      // What is still open to the host is of no use to anybody.
      controller.abort();
      over();
    },
  };
}
