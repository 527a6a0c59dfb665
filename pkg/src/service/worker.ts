/**
 * The loop that works queued runs, for any JavaScript runtime.
 *
 * @module
 */

import { refuseUnknown } from "../options.js";

/** How a worker works. */
export interface WorkOptions {
  /** Runs worked at the same time. Default 4. Webhooks are delivered beside them. */
  concurrency?: number;
  /** Stops claiming; what runs is finished. */
  signal?: AbortSignal;
  /** Milliseconds between two looks at an empty queue where nobody wakes the worker. Default 1000. */
  pollInterval?: number;
  /** Called where a tick failed, such as when the database is away. The loop goes on. */
  onError?: (error: unknown) => void;
}

/** A worker at work. */
export interface Worker {
  /** Looks at the queue, the outbox or, when left out, both now: for the service's `onQueued`, or a notification. */
  wake(what?: "sync" | "webhook"): void;
  /** Resolves once the signal has fired and everything that ran is finished. */
  readonly stopped: Promise<void>;
}

/** What a worker works for: `Service`, or anything with its verbs. Each says whether there was something to do. */
export interface Workable {
  /** Calls `onClaimed` if there was, before it does it. `isLastLane`: all other lanes are at work. */
  tick(onClaimed?: () => void, isLastLane?: boolean): Promise<boolean>;
  deliver?(onClaimed?: () => void): Promise<boolean>;
}

/**
 * Claims and works runs, and delivers webhooks, until the signal fires. Throws an `InvalidRequestError` for an unknown option.
 */
export function work(service: Workable, options: WorkOptions = {}): Worker {
  refuseUnknown("work", options, known);
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
    // There may be more; and that it began is to be told.
    runs.ring();
    deliveries.ring();
  };
  let atWork = 0;
  const run = async () => {
    atWork += 1;
    try {
      const worked = await service.tick(onClaimed, concurrency > 1 && atWork === concurrency);
      if (worked) deliveries.ring();
      return worked;
    } finally {
      atWork -= 1;
    }
  };
  const lanes = Array.from({ length: concurrency }, () => lane(runs, run));
  if (service.deliver) {
    const { deliver: verb } = service;
    // More deliveries may be due, and they must not wait for the answer to this one.
    const deliver = () => verb.call(service, deliveries.ring);
    for (let n = 0; n < DELIVERY_LANES; n += 1) lanes.push(lane(deliveries, deliver));
  }
  return {
    wake(what) {
      if (what !== "webhook") runs.ring();
      if (what !== "sync") deliveries.ring();
    },
    stopped: Promise.all(lanes).then(() => {}),
  };
}

const known = { concurrency: true, signal: true, pollInterval: true, onError: true } satisfies Record<
  keyof WorkOptions,
  true
>;

/** Wakes one lane at a time: one look finds out whether there is something to do, however many lanes and processes. */
interface Bell {
  ring(): void;
  /** How often it has rung. */
  rung(): number;
  /**
   * Resolves when it rings for this lane, at once if it has rung more than `heard` times, when the interval is over and it
   * is this lane's turn to look, or when the signal fires.
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
        // A ring between a look and the sleep after it must not be lost.
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
 * How many webhooks are delivered at the same time. A target has at most two of them, and an organisation eight
 * (`src/service/delivery/mod.rs`). So receivers that do not answer delay other organisations only if many organisations have such
 * receivers.
 */
const DELIVERY_LANES = 64;
