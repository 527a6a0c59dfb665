/**
 * A worker in a process of ours: woken by the database, and stopped so that nothing it holds is lost.
 *
 * @module
 */

import { type NotifyingDatabase, openPostgres } from "../../node/database/postgres.js";
import { work } from "../../service/worker.js";
import type { Service, ServiceOptions } from "../../service.js";

/** What the command line says of the work. */
export interface WorkFlags {
  /** Runs at the same time in this process. */
  concurrency: number;
  /** Runs at the same time in all processes. */
  maxRuns?: number;
  /** Runs at the same time of one organisation. */
  maxRunsPerOrg?: number;
  /** How long one attempt of a run may take, in seconds. */
  runTimeout: number;
}

/** A worker that can be stopped. */
export interface AtWork {
  /** What runs goes on. */
  claimNothingMore(): void;
  /** Lets what runs come to its end for a while, and hands the rest back. */
  stop(): Promise<void>;
}

/** Starts working. Every process that waits hears of what any process queued; a slow poll stands behind that. */
export async function workFor(
  service: Service,
  database: NotifyingDatabase,
  flags: WorkFlags,
  complain: (line: string) => void,
): Promise<AtWork> {
  const stopping = new AbortController();
  const { stopped, wake } = work(service, {
    concurrency: flags.concurrency,
    pollInterval: POLL_INTERVAL,
    signal: stopping.signal,
    onError: (error) => complain(`worker: ${String(error)}`),
  });
  await database.listen(wake);
  return {
    claimNothingMore: () => stopping.abort(),
    async stop() {
      stopping.abort();
      // Most runs end within this; what does not is handed back, and goes on elsewhere or at the next start.
      await Promise.race([stopped, after(5_000)]);
      await service.stop();
      await Promise.race([stopped, after(10_000)]);
    },
  };
}

/** Opens the PostgreSQL that processes share. */
export function sharedDatabase(url: string, { concurrency }: WorkFlags, complain: (line: string) => void) {
  return openPostgres(url, {
    // A process's runs seldom ask at the same time, its callers may.
    connections: Math.min(10, 4 + concurrency),
    onError: (error) => complain(`database: ${String(error)}`),
  });
}

/** What a worker may claim, in the words of the service. */
export function limits({
  maxRuns,
  maxRunsPerOrg,
  runTimeout,
}: WorkFlags): Pick<ServiceOptions, "maxRuns" | "maxRunsPerOrganization" | "runTimeout"> {
  return {
    runTimeout: runTimeout * 1000,
    ...(maxRuns !== undefined && { maxRuns }),
    ...(maxRunsPerOrg !== undefined && { maxRunsPerOrganization: maxRunsPerOrg }),
  };
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Milliseconds. What a lost worker left is found by it, and what waits for its next attempt. */
const POLL_INTERVAL = 2_000;
