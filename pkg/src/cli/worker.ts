/**
 * `refsync worker`: works runs of a shared PostgreSQL, until a signal ends it.
 *
 * @module
 */

import { openDataFolder } from "../node/data-folder.js";
import { openPostgres } from "../node/database.js";
import { gitHttpBackend } from "../node/git-http-backend.js";
import { guardedFetch } from "../node/guarded-fetch.js";
import { Service } from "../service.js";
import { complain, connections, type WorkFlags, workFor } from "./at-work.js";
import { nextSignal, stopOnce } from "./serve.js";

/** What the command line said. */
export interface WorkerFlags extends WorkFlags {
  database: string;
  data: string;
  json: boolean;
  allowPrivateNetwork: boolean;
}

/** Works until SIGINT or SIGTERM. Rejects where it cannot start. */
export async function worker(flags: WorkerFlags): Promise<void> {
  const signal = nextSignal();
  const folder = await openDataFolder(flags.data, { shared: true });
  const database = await openPostgres(flags.database, {
    connections: connections(flags),
    onError: (error) => complain(`database: ${String(error)}`),
  });
  const fetch = guardedFetch({ allowPrivateNetwork: flags.allowPrivateNetwork });
  const { maxRuns, maxRunsPerOrg: maxRunsPerOrganization } = flags;
  const service = new Service({
    database,
    git: gitHttpBackend({ root: folder.repositories }),
    fetch,
    secretKey: folder.secretKey,
    ...(maxRuns !== undefined && { maxRuns }),
    ...(maxRunsPerOrganization !== undefined && { maxRunsPerOrganization }),
  });
  await service.migrate();
  const atWork = await workFor(service, database, flags);
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
