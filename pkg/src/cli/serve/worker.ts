/**
 * `refsync worker`: does runs of a shared PostgreSQL, until a signal ends it.
 *
 * @module
 */

import type { GitHost } from "../../host.js";
import { gitHttpBackend } from "../../node/git/http-backend.js";
import { engineThreads } from "../../node/threads/engine-threads.js";
import { Service } from "../../service.js";
import { openedFolder } from "../opened-folder.js";
import { nextSignal } from "../signals.js";
import { limits, sharedDatabase, type WorkFlags, workFor } from "./at-work.js";
import { type OperationFlags, operation } from "./operation.js";
import { stopAndExit } from "./serve.js";

/** The options of the command line. */
export interface WorkerFlags extends WorkFlags, OperationFlags {
  database: string;
  /** The data folder of the `serve` processes. Without it, the worker syncs only repositories that are stored on another Git server. */
  data?: string;
  json: boolean;
}

/** Works until SIGINT or SIGTERM. Rejects if it cannot start. */
export async function worker(flags: WorkerFlags): Promise<void> {
  const signal = nextSignal();
  const folder = flags.data === undefined ? null : await openedFolder(flags.data, { ...flags, shared: true });
  const { fetch, network, options, complain } = operation(flags, folder);
  const database = await sharedDatabase(flags.database, flags, complain);
  const { publicUrl, concurrency } = flags;
  const engine = engineThreads({ repositories: folder?.repositories, network, threads: concurrency });
  const service = new Service({
    database,
    git: folder === null ? noRepositories : gitHttpBackend({ root: folder.repositories }),
    engine,
    onlyOrigins: folder === null,
    ...options,
    ...(publicUrl !== undefined && { publicUrl }),
    ...limits(flags),
  });
  const migrate = () => service.migrate();
  const { acceptLostRepositories } = flags;
  await (folder === null ? migrate() : folder.attach(database, { migrate, acceptLostRepositories }));
  const atWork = await workFor(service, database, flags, complain);
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ concurrency })}\n`
      : `refsync works, ${concurrency} runs at a time\n\nCtrl-C stops it.\n`,
  );
  await signal;
  await stopAndExit({
    async stop() {
      await atWork.stop();
      await engine.close();
      fetch.close();
      await database.close();
    },
  });
}

const refuse = () => Promise.reject(new Error("this worker has no data folder, and so no repositories"));

/** The Git host of a worker without a data folder. The worker claims no run that would need it. */
const noRepositories: GitHost = { create: refuse, remove: refuse, setHead: refuse, fetch: refuse };
