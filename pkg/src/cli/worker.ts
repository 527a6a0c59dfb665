/**
 * `refsync worker`: works runs of a shared PostgreSQL, until a signal ends it.
 *
 * @module
 */

import { openDataFolder } from "../node/data-folder.js";
import { openPostgres } from "../node/database.js";
import { gitHttpBackend } from "../node/git-http-backend.js";
import { Service } from "../service.js";
import { connections, type WorkFlags, workFor } from "./at-work.js";
import { type OperationFlags, operation } from "./operation.js";
import { nextSignal, stopOnce } from "./serve.js";

/** What the command line said. */
export interface WorkerFlags extends WorkFlags, OperationFlags {
  database: string;
  data: string;
  json: boolean;
}

/** Works until SIGINT or SIGTERM. Rejects where it cannot start. */
export async function worker(flags: WorkerFlags): Promise<void> {
  const signal = nextSignal();
  const folder = await openDataFolder(flags.data, { shared: true });
  const { fetch, options, complain } = operation(flags, folder);
  const database = await openPostgres(flags.database, {
    connections: connections(flags),
    onError: (error) => complain(`database: ${String(error)}`),
  });
  const { maxRuns, maxRunsPerOrg: maxRunsPerOrganization, publicUrl } = flags;
  const service = new Service({
    database,
    git: gitHttpBackend({ root: folder.repositories }),
    ...options,
    ...(publicUrl !== undefined && { publicUrl }),
    ...(maxRuns !== undefined && { maxRuns }),
    ...(maxRunsPerOrganization !== undefined && { maxRunsPerOrganization }),
  });
  await service.migrate();
  const atWork = await workFor(service, database, flags, complain);
  const { concurrency } = flags;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ concurrency })}\n`
      : `refsync works, ${concurrency} runs at a time\n\nCtrl-C stops it.\n`,
  );
  await signal;
  await stopOnce({
    async stop() {
      await atWork.stop();
      fetch.close();
      await database.close();
    },
  });
}
