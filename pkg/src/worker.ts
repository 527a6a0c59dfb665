/**
 * The loop that works queued runs, for any JavaScript runtime.
 *
 * @module
 */

/** How a worker works. */
export interface WorkOptions {
  /** Runs worked at the same time. Default 4. Webhooks are delivered beside them. */
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
  /** Looks at the queue and the outbox now: for the service's `onQueued`. */
  wake(): void;
  /** Resolves once the signal has fired and everything that ran is finished. */
  readonly stopped: Promise<void>;
}

/** What a worker works for: `Service`, or anything with its verbs. Each says whether there was something to do. */
export interface Workable {
  tick(): Promise<boolean>;
  deliver?(): Promise<boolean>;
}

/** Claims and works runs, and delivers webhooks, until the signal fires. */
export function work(service: Workable, options: WorkOptions = {}): Worker {
  const { concurrency = 4, signal, pollInterval = 1000, onError = () => {} } = options;
  const runs = bell(pollInterval, signal);
  const deliveries = bell(pollInterval, signal);
  const lane = async (bell: Bell, verb: () => Promise<boolean>, afterwards: () => void) => {
    while (!signal?.aborted) {
      const heard = bell.rung();
      const worked = await verb().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (worked) afterwards();
      else await bell.wait(heard);
    }
  };
  const lanes = Array.from({ length: concurrency }, () => lane(runs, () => service.tick(), deliveries.ring));
  if (service.deliver) {
    const deliver = service.deliver.bind(service);
    for (let n = 0; n < DELIVERY_LANES; n += 1) lanes.push(lane(deliveries, deliver, () => {}));
  }
  return {
    wake() {
      runs.ring();
      deliveries.ring();
    },
    stopped: Promise.all(lanes).then(() => {}),
  };
}

interface Bell {
  ring(): void;
  /** How often it has rung. */
  rung(): number;
  /** Resolves when it rings after it had rung `heard` times, when the interval is over, or when the signal fires. */
  wait(heard: number): Promise<void>;
}

function bell(interval: number, signal?: AbortSignal): Bell {
  const sleeping = new Set<() => void>();
  const wake = () => {
    for (const rise of sleeping) rise();
  };
  signal?.addEventListener("abort", wake, { once: true });
  let rung = 0;
  return {
    ring() {
      rung += 1;
      wake();
    },
    rung: () => rung,
    wait: (heard) =>
      new Promise((resolve) => {
        // A ring between a look and the sleep after it must not be lost.
        if (signal?.aborted || rung !== heard) return resolve();
        const rise = () => {
          clearTimeout(timer);
          sleeping.delete(rise);
          resolve();
        };
        const timer = setTimeout(rise, interval);
        sleeping.add(rise);
      }),
  };
}

/** How many webhooks are delivered at the same time. A target gets two of them at most. */
const DELIVERY_LANES = 4;
