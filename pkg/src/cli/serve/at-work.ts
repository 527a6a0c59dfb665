/**
 * A worker in this process. The database wakes it. When it stops, it hands back its runs.
 *
 * @module
 */

import { type NotifyingDatabase, openPostgres } from "../../node/database/postgres.js";
import { work } from "../../service/worker.js";
import type { Service, ServiceOptions } from "../../service.js";
import type { Flags } from "../commands.js";

/** The flags that both commands have. */
export type WorkFlags = Flags["serve"] | Flags["worker"];

/** A worker that can be stopped. */
export interface AtWork {
  /** Claims no more runs. The current ones continue. */
  claimNothingMore(): void;
  /** Waits for some time until the current runs end, and hands the others back. */
  stop(): Promise<void>;
}

/** Starts working. The database notifies every waiting process of new work. A slow poll finds work if a notification is lost. */
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
      // Most runs end within this time. Other runs are handed back, and continue in another process or at the next start.
      await Promise.race([stopped, after(5_000)]);
      await service.stop();
      await Promise.race([stopped, after(10_000)]);
    },
  };
}

/** Opens the PostgreSQL that processes share. */
export function sharedDatabase(url: string, { concurrency }: WorkFlags, complain: (line: string) => void) {
  return openPostgres(url, {
    // Runs rarely use the database at the same time, but callers may.
    connections: Math.min(10, 4 + concurrency),
    onError: (error) => complain(`database: ${String(error)}`),
  });
}

/** A worker's limits and times, as options of the service. */
export function limits({
  maxRuns,
  maxRunsPerOrg,
  runTimeout,
  keepRuns,
  keepEvents,
}: WorkFlags): Pick<ServiceOptions, "maxRuns" | "maxRunsPerOrganization" | "runTimeout" | "keepRuns" | "keepEvents"> {
  return {
    runTimeout: runTimeout * 1000,
    keepRuns,
    keepEvents,
    ...(maxRuns !== undefined && { maxRuns }),
    ...(maxRunsPerOrg !== undefined && { maxRunsPerOrganization: maxRunsPerOrg }),
  };
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Milliseconds. The poll finds the runs of lost workers, and runs that wait for their next attempt. */
const POLL_INTERVAL = 2_000;
