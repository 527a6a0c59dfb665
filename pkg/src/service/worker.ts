/**
 * The loop that does queued runs, for any JavaScript runtime.
 *
 * @module
 */

import { refuseWrong, timer, whole, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";

/** The options of a worker. */
export interface WorkOptions {
  /** The most simultaneous runs. Default: 4. Webhooks are delivered at the same time. */
  concurrency?: number;
  /** Stops claiming. Runs in progress are finished. Default: nothing stops the worker. */
  signal?: AbortSignal;
  /** Milliseconds between two checks of an empty queue if nobody wakes the worker. Default: 1000. */
  pollInterval?: number;
  /** Called if a tick failed, for example because the database does not answer. The loop continues. Default: the error is dropped. */
  onError?: (error: unknown) => void;
}

/** A running worker. */
export interface Worker {
  /** Checks the queue or the outbox now; both by default. Call it from the service's `onQueued`, or after a notification. */
  wake(what?: "sync" | "webhook"): void;
  /** Resolves when the signal has fired and all work in progress is finished. */
  readonly stopped: Promise<void>;
}

/** The service of a worker: `Service`, or any object with these methods. Each returns whether there was something to do. */
export interface Workable {
  /** If there is a run, calls `onClaimed` before it does the run. `isLastLane`: all other lanes are busy. */
  tick(onClaimed?: () => void, isLastLane?: boolean): Promise<boolean>;
  deliver?(onClaimed?: () => void): Promise<boolean>;
  /** Deletes some of what is old. Returns whether there may be more. */
  cleanUp?(): Promise<boolean>;
}

/**
 * Claims and does runs, and delivers webhooks, until the signal fires.
 *
 * @throws `InvalidRequestError` if an option is unknown or invalid.
 * @example
 * ```ts
 * import { work } from "refsync/node";
 *
 * const stop = new AbortController();
 * const worker = work(service, { concurrency: 8, signal: stop.signal, onError: console.error });
 * process.once("SIGTERM", () => stop.abort());
 * await worker.stopped;
 * ```
 */
export function work(service: Workable, options: WorkOptions = {}): Worker {
  refuseUnknown("work", options, known);
  refuseWrong("work", wrongIn(options, { concurrency: whole(1, 9999), pollInterval: timer }));
  const { concurrency = 4, signal, pollInterval = 1000, onError = () => {} } = options;
  const runs = bell(pollInterval, signal);
  const deliveries = bell(pollInterval, signal);
  const lane = async (bell: Bell, verb: () => Promise<boolean>) => {
    while (!signal?.aborted) {
      const heard = bell.rung();
      const worked = await verb().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (!worked) await bell.wait(heard);
    }
  };
  const onClaimed = () => {
    // There may be more runs, and the start of this one is a webhook event.
    runs.ring();
    deliveries.ring();
  };
  let atWork = 0;
  let wakes = 0;
  // When the last lane found no run, and how many wakes there had been.
  let inVain = { at: Number.NEGATIVE_INFINITY, wakes };
  const run = async () => {
    atWork += 1;
    try {
      const isLastLane = concurrency > 1 && atWork === concurrency;
      // Each claim of another lane also wakes the last lane, but brings no new run that the last lane may claim.
      if (isLastLane && inVain.wakes === wakes && performance.now() < inVain.at + pollInterval) return false;
      const look = { at: performance.now(), wakes };
      const worked = await service.tick(onClaimed, isLastLane);
      if (worked) deliveries.ring();
      else if (isLastLane) inVain = look;
      return worked;
    } finally {
      atWork -= 1;
    }
  };
  const lanes = Array.from({ length: concurrency }, () => lane(runs, run));
  if (service.deliver) {
    const { deliver: verb } = service;
    const deliver = oneLook((onClaimed) => verb.call(service, onClaimed), deliveries);
    for (let n = 0; n < DELIVERY_LANES; n += 1) lanes.push(lane(deliveries, deliver));
  }
  if (service.cleanUp) {
    const { cleanUp } = service;
    lanes.push(cleaner(() => cleanUp.call(service), onError, signal));
  }
  return {
    wake(what) {
      if (what !== "webhook") {
        wakes += 1;
        runs.ring();
      }
      if (what !== "sync") deliveries.ring();
    },
    stopped: Promise.all(lanes).then(() => {}),
  };
}

/** Cleans up until the signal fires. It rests four times as long as it works, so that runs and calls come first. */
async function cleaner(step: () => Promise<boolean>, onError: (error: unknown) => void, signal?: AbortSignal) {
  let rest = CLEAN_UP_AFTER;
  while (!signal?.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, rest);
      signal?.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
    });
    if (signal?.aborted) return;
    const from = performance.now();
    const isMore = await step().catch((error: unknown) => {
      onError(error);
      return false;
    });
    rest = isMore ? Math.max(100, 4 * (performance.now() - from)) : CLEAN_UP_EVERY;
  }
}

const known = { concurrency: true, signal: true, pollInterval: true, onError: true } satisfies Record<
  keyof WorkOptions,
  true
>;

/** Wakes one lane at a time: one check finds out whether there is work, for any number of lanes and processes. */
interface Bell {
  ring(): void;
  /** How often it has rung. */
  rung(): number;
  /**
   * Resolves when it rings for this lane; at once if it has rung more than `heard` times; when the interval is over and it is this
   * lane's turn; or when the signal fires.
   */
  wait(heard: number): Promise<void>;
}

function bell(interval: number, signal?: AbortSignal): Bell {
  // In the order in which they fell asleep.
  const sleeping = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let rung = 0;
  const wakeOne = () => {
    const [first] = sleeping;
    first?.();
  };
  const setAlarm = () => {
    if (timer !== undefined || sleeping.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      wakeOne();
      setAlarm();
    }, interval);
  };
  const wakeAll = () => {
    clearTimeout(timer);
    for (const rise of sleeping) rise();
  };
  signal?.addEventListener("abort", wakeAll, { once: true });
  return {
    ring() {
      rung += 1;
      wakeOne();
    },
    rung: () => rung,
    wait: (heard) =>
      new Promise((resolve) => {
        // A ring between a check and the following sleep must not be lost.
        if (signal?.aborted || rung !== heard) return resolve();
        const rise = () => {
          sleeping.delete(rise);
          resolve();
        };
        sleeping.add(rise);
        setAlarm();
      }),
  };
}

/**
 * Lets one lane at a time look for work. If the bell rings meanwhile, the same lane looks once more, for any number of rings. As soon as a
 * lane has claimed something, another one looks.
 */
function oneLook(look: (onClaimed: () => void) => Promise<boolean>, bell: Bell): () => Promise<boolean> {
  let isLooking = false;
  return async () => {
    if (isLooking) return false;
    isLooking = true;
    let hasClaimed = false;
    try {
      return await look(() => {
        hasClaimed = true;
        isLooking = false;
        bell.ring();
      });
    } finally {
      if (!hasClaimed) isLooking = false;
    }
  };
}

/** Milliseconds until the first clean-up. A process that has just started has more important work. */
const CLEAN_UP_AFTER = 10_000;
/** Milliseconds until a clean-up that has seen everything begins again. */
const CLEAN_UP_EVERY = 600_000;
/**
 * How many webhooks are delivered at the same time. A target has at most two of them, and an organisation eight
 * (`src/service/delivery/mod.rs`). So receivers that do not answer delay other organisations only if many organisations have such
 * receivers.
 */
const DELIVERY_LANES = 64;
