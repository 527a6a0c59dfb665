/**
 * One thread of {@link engineThreads}: an engine of its own, which works one task at a time.
 *
 * @module
 */

import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";

import { engineMemory } from "../../engine/run.js";
import { serviceEngine } from "../../service/engine.js";
import { gitHttpBackend } from "../git/http-backend.js";
import { noRepositories } from "../git/no-repositories.js";
import { guardedFetch } from "../http/guarded-fetch.js";
import type { ThreadSetup, ToParent, ToThread } from "./engine-threads.js";

/** A value for `nice`. */
const LOW_PRIORITY = 10;
giveWay();

const setup = workerData as ThreadSetup;
const fetch = guardedFetch(setup.network);
const git =
  setup.repositories === undefined
    ? noRepositories("this service has no hosted repositories")
    : gitHttpBackend({ root: setup.repositories });
const engine = serviceEngine(git, fetch, setup.wasm);
let running: AbortController | undefined;

parentPort?.on("message", (message: ToThread) => {
  switch (message.verb) {
    case "ping":
      return send({ verb: "pong" });
    case "abort":
      return running?.abort();
    case "sync":
      running = new AbortController();
      return void answer(engine.sync(message.task, (progress) => send({ verb: "progress", progress }), running.signal));
    case "findRef":
      return void answer(engine.findRef(message.remote, message.refName));
    case "backups":
      return void answer(engine.backups(message.remote, message.request));
  }
});

/** Lets the thread that answers the API go first when all cores are busy. The Git processes that this thread starts inherit it. */
function giveWay(): void {
  try {
    // Linux has priorities of single threads, by the thread's id. Elsewhere there is no such file.
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), LOW_PRIORITY);
  } catch {
    // The priority is optional.
  }
}

async function answer(work: Promise<string | undefined>): Promise<void> {
  try {
    const result = await work;
    send({ verb: "done", result, memory: engineMemory() });
  } catch (error) {
    // After a trap the engine cannot be used again, so the thread ends.
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const { message, code, retryable, side } = error as { [key: string]: unknown };
    const failure = { message: String(message ?? error), code, retryable, side };
    send({ verb: "failed", failure, memory: engineMemory() });
  } finally {
    running = undefined;
  }
}

function send(message: ToParent): void {
  parentPort?.postMessage(message);
}
