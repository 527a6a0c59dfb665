/**
 * The engine in threads, so that no data from a remote can stop the service. If a sync crashes its thread, needs too much memory or
 * never answers, only that sync fails.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";

import { refuseWrong, timer, whole, wrongIn } from "../../kinds.js";
import { refuseUnknown } from "../../options.js";
import type { ServiceEngine } from "../../service/engine.js";
import type { AddressPolicyOptions } from "../http/address-policy.js";
import { withMaxMemory } from "./wasm-memory.js";

/** The options of `engineThreads`. */
export interface EngineThreadsOptions {
  /** The folder of the hosted repositories, as for `gitHttpBackend`. Default: the threads reach no hosted repository. */
  repositories?: string | undefined;
  /** The addresses that the threads may connect to, as for `guardedFetch`. Default: only public ones. */
  network?: AddressPolicyOptions | undefined;
  /** How many syncs run at the same time. More wait. Default: 4. Plans and requests for refs have two more threads. */
  threads?: number | undefined;
  /** The most WebAssembly memory of one thread, in MB. Default: 256. */
  maxMemory?: number | undefined;
  /** How long a thread may be too busy to answer before it is ended, in milliseconds. Default: 60,000. */
  answerWithin?: number | undefined;
}

/** An engine in threads. */
export interface EngineThreads extends ServiceEngine {
  /** Ends all threads. Running tasks fail. */
  close(): Promise<void>;
}

/** The start data of a thread. */
export interface ThreadSetup {
  repositories: string | undefined;
  network: AddressPolicyOptions | undefined;
  wasm: WebAssembly.Module;
}

/** A message from the service's thread to an engine thread. */
export type ToThread =
  | { verb: "sync"; task: string }
  | { verb: "findRef"; remote: string; refName: string }
  | { verb: "backups"; remote: string; request: string }
  | { verb: "abort" }
  | { verb: "ping" };

/** An answer of an engine thread. */
export type ToParent =
  | { verb: "progress"; progress: string }
  | { verb: "done"; result: string | undefined; memory: number }
  | { verb: "failed"; failure: Failure; memory: number }
  | { verb: "pong" };

/** A `SyncError` as plain data. */
interface Failure {
  message: string;
  code?: unknown;
  retryable?: unknown;
  side?: unknown;
}

/**
 * Makes an engine whose threads start when they are first needed, and stay.
 *
 * @throws `InvalidRequestError` if an option is unknown or invalid.
 * @example
 * ```ts
 * import { engineThreads } from "refsync/node";
 * import { Service } from "refsync/service";
 *
 * const engine = engineThreads({ repositories: "./data/repositories", threads: 8 });
 * const threaded = new Service({ ...options, engine });
 * ```
 */
export function engineThreads(options: EngineThreadsOptions = {}): EngineThreads {
  refuseUnknown("engineThreads", options, known);
  refuseUnknown("engineThreads", options.network, knownOfNetwork, "network.");
  const kinds = { threads: whole(1, 9999), maxMemory: whole(1, 4294), answerWithin: timer };
  refuseWrong("engineThreads", wrongIn(options, kinds));
  const { repositories, network, threads = 4, maxMemory = 256, answerWithin = 60_000 } = options;
  let wasm: Promise<WebAssembly.Module> | undefined;
  const setup = async (): Promise<ThreadSetup> => {
    wasm ??= limited(maxMemory * 1_000_000);
    return { repositories, network, wasm: await wasm };
  };
  // A caller waits for a plan, so runs must not delay plans.
  const start = async () => new Thread(await setup(), answerWithin);
  const runs = new Lanes(threads, start);
  const looks = new Lanes(2, start);
  return {
    sync(task, report, signal) {
      const { plan_only } = JSON.parse(task) as { plan_only: boolean };
      return (plan_only ? looks : runs).work({ verb: "sync", task }, report, signal) as Promise<string>;
    },
    findRef: (remote, refName) => looks.work({ verb: "findRef", remote, refName }, () => {}),
    backups: (remote, request) => looks.work({ verb: "backups", remote, request }, () => {}) as Promise<string>,
    close: async () => {
      await Promise.all([runs.close(), looks.close()]);
    },
  };
}

async function limited(maxMemory: number): Promise<WebAssembly.Module> {
  const code = await readFile(new URL("../../wasm/engine/refsync_bg.wasm", import.meta.url));
  return WebAssembly.compile(withMaxMemory(code, maxMemory));
}

/** A group of threads, and the tasks that wait for them. */
class Lanes {
  readonly #idle: Thread[] = [];
  readonly #all = new Set<Thread>();
  readonly #waiting: (() => void)[] = [];
  #taken = 0;
  #closed = false;

  constructor(
    private readonly most: number,
    private readonly start: () => Promise<Thread>,
  ) {}

  /** Does a task in a free thread. */
  async work(task: ToThread, report: (progress: string) => void, signal?: AbortSignal): Promise<string | undefined> {
    await this.#take();
    try {
      signal?.throwIfAborted();
      const thread = this.#idle.pop() ?? (await this.start());
      this.#all.add(thread);
      try {
        return await thread.work(task, report, signal);
      } finally {
        if (thread.isUsable && !this.#closed) this.#idle.push(thread);
        else {
          this.#all.delete(thread);
          void thread.end();
        }
      }
    } finally {
      this.#taken -= 1;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((thread) => thread.end()));
  }

  async #take(): Promise<void> {
    while (this.#taken >= this.most) {
      if (this.#waiting.length >= MAX_WAITING) throw busy();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#closed) throw stopped("the service stops");
    this.#taken += 1;
  }
}

/** One thread. */
class Thread {
  readonly #worker: Worker;
  #memory = 0;
  #hasEnded = false;
  #ending: Promise<unknown> | undefined;
  /** Called with the thread's answer, or with the reason of its end. */
  #listener: { heard(message: ToParent): void; ended(why: string): void } | undefined;

  constructor(
    setup: ThreadSetup,
    private readonly answerWithin: number,
  ) {
    this.#worker = new Worker(new URL("./engine-thread.js", import.meta.url), {
      workerData: setup,
      name: "refsync engine",
      // The memory limit for JavaScript. The engine's own memory has a limit in its code.
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    let why = "its thread ended";
    this.#worker.on("message", (message: ToParent) => this.#listener?.heard(message));
    this.#worker.on("error", (error) => {
      why = causeOf(error);
    });
    this.#worker.on("exit", () => {
      this.#hasEnded = true;
      this.#listener?.ended(why);
    });
    // An idle thread does not keep the process alive.
    this.#worker.unref();
  }

  /** Whether it can take another task. A thread that needed much memory keeps it, and is replaced. */
  get isUsable(): boolean {
    return this.#ending === undefined && !this.#hasEnded && this.#memory < MAX_KEPT_MEMORY;
  }

  /** Does one task. Rejects with the engine's error, or with an error of the code `engine_stopped` if the thread ended. */
  async work(
    task: ToThread,
    report: (progress: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    let answeredAt = performance.now();
    const isSilent = () => performance.now() - answeredAt > this.answerWithin;
    const watch = setInterval(
      () => {
        if (isSilent()) void this.end();
        else this.#say({ verb: "ping" });
      },
      Math.min(PING_EVERY, this.answerWithin / 2),
    );
    let deadline: ReturnType<typeof setTimeout> | undefined;
    const abort = () => {
      this.#say({ verb: "abort" });
      deadline = setTimeout(() => void this.end(), ABORT_WITHIN);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#worker.ref();
    try {
      return await new Promise<string | undefined>((resolve, reject) => {
        this.#listener = {
          heard: (message) => {
            answeredAt = performance.now();
            if (message.verb === "progress") report(message.progress);
            if (message.verb !== "done" && message.verb !== "failed") return;
            this.#memory = message.memory;
            if (message.verb === "done") resolve(message.result);
            else reject(Object.assign(new Error(message.failure.message), message.failure));
          },
          ended: (why) => reject(stopped(isSilent() ? `it did not answer for ${this.answerWithin / 1000} s` : why)),
        };
        if (this.#hasEnded) reject(stopped("its thread ended"));
        else this.#say(task);
      });
    } finally {
      clearInterval(watch);
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
      this.#listener = undefined;
      this.#worker.unref();
    }
  }

  /** Ends the thread, even if it is busy. */
  end(): Promise<unknown> {
    this.#ending ??= this.#worker.terminate();
    return this.#ending;
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** Why a thread ended, for an operator. */
function causeOf(error: Error & { code?: string }): string {
  // WebAssembly's own message is "unreachable" or similar.
  if (error.name === "RuntimeError") return `it needed more memory than it may have, or has a fault (${error.message})`;
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") return "it needed more memory than it may have";
  return error.message;
}

/** The error of a task whose thread ended. */
function stopped(why: string): Error {
  const message = `the sync engine stopped while it worked on this: ${why}. Nothing else was affected`;
  return Object.assign(new Error(message), { code: "engine_stopped", retryable: true });
}

/** The error of a task for which there is no room. */
function busy(): Error {
  const message = `the sync engine is busy: ${MAX_WAITING} plans and looks at refs wait already; try again in a moment`;
  return Object.assign(new Error(message), { code: "engine_busy", retryable: true });
}

const known = {
  repositories: true,
  network: true,
  threads: true,
  maxMemory: true,
  answerWithin: true,
} satisfies Record<keyof EngineThreadsOptions, true>;

const knownOfNetwork = { allowPrivateNetwork: true, allow: true } satisfies Record<keyof AddressPolicyOptions, true>;

/** How many tasks may wait for a thread. */
const MAX_WAITING = 64;
/** Milliseconds between two checks whether a thread still answers. */
const PING_EVERY = 5_000;
/** How long an aborted task may take to end, in milliseconds. */
const ABORT_WITHIN = 10_000;
/** The most JavaScript memory of a thread. */
const MAX_HEAP_MB = 256;
/** A thread whose engine has more memory than this after a task is replaced, in bytes. */
const MAX_KEPT_MEMORY = 64_000_000;
