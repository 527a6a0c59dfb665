/**
 * `refsync worker`: does runs of a shared PostgreSQL, until a signal ends it.
 *
 * @module
 */

import { gitHttpBackend } from "../../node/git/http-backend.js";
import { noRepositories } from "../../node/git/no-repositories.js";
import { engineThreads } from "../../node/threads/engine-threads.js";
import { Service } from "../../service.js";
import type { Flags } from "../commands.js";
import { openedFolder } from "../opened-folder.js";
import { nextSignal } from "../signals.js";
import { limits, sharedDatabase, workFor } from "./at-work.js";
import { operation } from "./operation.js";
import { stopAndExit } from "./serve.js";

/** Works until SIGINT or SIGTERM. Rejects if it cannot start. */
export async function worker(flags: Flags["worker"]): Promise<void> {
  const signal = nextSignal();
  const folder = flags.data === undefined ? null : await openedFolder(flags.data, { ...flags, shared: true });
  const { fetch, network, options, complain } = operation(flags, folder);
  const database = await sharedDatabase(flags.database, flags, complain);
  const { publicUrl, concurrency } = flags;
  const engine = engineThreads({ repositories: folder?.repositories, network, threads: concurrency });
  const service = new Service({
    database,
    git: folder === null ? noRepositories(NO_FOLDER) : gitHttpBackend({ root: folder.repositories }),
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

/** Without a data folder, the worker claims no run that would need repositories. */
const NO_FOLDER = "this worker has no data folder, and so no repositories";
