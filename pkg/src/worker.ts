/**
 * The loop that works queued runs, for any JavaScript runtime.
 *
 * @module
 */

/** How a worker works. */
export interface WorkOptions {
  /** Runs worked at the same time. Default 4. */
  concurrency?: number;
  /** Stops claiming; what runs is finished. */
  signal?: AbortSignal;
  /** Milliseconds between two looks at an empty queue. Default 1000. */
  pollInterval?: number;
  /** Called where a tick failed, such as when the database is away. The loop goes on. */
  onError?: (error: unknown) => void;
}

/** A worker at work. */
export interface Worker {
  /** Looks at the queue now: for the service's `onQueued`. */
  wake(): void;
  /** Resolves once the signal has fired and everything that ran is finished. */
  readonly stopped: Promise<void>;
}

/** Claims and works runs until the signal fires. */
export function work(service: { tick(): Promise<boolean> }, options: WorkOptions = {}): Worker {
  const { concurrency = 4, signal, pollInterval = 1000, onError = () => {} } = options;
  const sleeping = new Set<() => void>();
  const wake = () => {
    for (const rise of sleeping) rise();
  };
  signal?.addEventListener("abort", wake, { once: true });

  // A wake that comes while a lane is between its tick and its sleep must not be lost.
  let woken = 0;
  const sleep = (seen: number) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted || woken !== seen) return resolve();
      const rise = () => {
        clearTimeout(timer);
        sleeping.delete(rise);
        resolve();
      };
      const timer = setTimeout(rise, pollInterval);
      sleeping.add(rise);
    });
  const lane = async () => {
    while (!signal?.aborted) {
      const seen = woken;
      const worked = await service.tick().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (!worked) await sleep(seen);
    }
  };
  const stopped = Promise.all(Array.from({ length: concurrency }, lane)).then(() => {});
  return {
    wake() {
      woken += 1;
      wake();
    },
    stopped,
  };
}
