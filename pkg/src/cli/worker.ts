/**
 * `refsync worker`: works runs of a shared PostgreSQL, until a signal ends it.
 *
 * @module
 */

import type { GitHost } from "../host.js";
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
  /** The data folder of those who serve; without it only repositories that another Git server has are worked. */
  data?: string;
  json: boolean;
  allowPrivateNetwork: boolean;
}

/** Works until SIGINT or SIGTERM. Rejects where it cannot start. */
export async function worker(flags: WorkerFlags): Promise<void> {
  const signal = nextSignal();
  const { git, secretKey } = await surroundings(flags.data);
  const database = await openPostgres(flags.database, {
    connections: connections(flags),
    onError: (error) => complain(`database: ${String(error)}`),
  });
  const fetch = guardedFetch({ allowPrivateNetwork: flags.allowPrivateNetwork });
  const { maxRuns, maxRunsPerOrg: maxRunsPerOrganization } = flags;
  const service = new Service({
    database,
    git,
    fetch,
    secretKey,
    onlyOrigins: flags.data === undefined,
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

/** What the service needs beside the database: from the data folder, or the key from the environment and no repositories. */
async function surroundings(data: string | undefined): Promise<{ git: GitHost; secretKey: Uint8Array }> {
  if (data !== undefined) {
    const folder = await openDataFolder(data, { shared: true });
    return { git: gitHttpBackend({ root: folder.repositories }), secretKey: folder.secretKey };
  }
  const secretKey = new Uint8Array(Buffer.from(process.env.REFSYNC_SECRET_KEY ?? "", "base64"));
  if (secretKey.length !== 32) {
    throw new Error(
      "without --data the secret key comes from REFSYNC_SECRET_KEY: the contents of secret.key in the data folder of `refsync serve`",
    );
  }
  const refuse = () => Promise.reject(new Error("this worker has no data folder, and so no repositories"));
  return { git: { create: refuse, remove: refuse, setHead: refuse, fetch: refuse }, secretKey };
}
