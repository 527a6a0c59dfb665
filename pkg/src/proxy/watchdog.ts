/**
 * Ends requests that nobody waits for.
 *
 * @module
 */

/** Aborts a request that is silent for too long, or whose client has gone. `end` is called once, when the request is over. */
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
      // Nobody needs the connection to the host any more.
      controller.abort();
      over();
    },
  };
}
