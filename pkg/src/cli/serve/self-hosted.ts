/**
 * The whole service on this machine, from one data folder: database, repositories, worker, listener, page. With a PostgreSQL
 * the data folder holds the repositories and the keys, and any number of processes share both.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DataFolder } from "../../node/data-folder/data-folder.js";
import { openEmbedded } from "../../node/database/embedded.js";
import { gitHttpBackend, sweep } from "../../node/git/http-backend.js";
import { serve } from "../../node/http/listener.js";
import { serveOperator } from "../../node/http/operator-socket.js";
import type { Listener } from "../../node/http/port.js";
import { engineThreads } from "../../node/threads/engine-threads.js";
import { Service } from "../../service.js";
import type { Flags } from "../commands.js";
import { openedFolder } from "../opened-folder.js";
import { type AtWork, limits, sharedDatabase, workFor } from "./at-work.js";
import { operation } from "./operation.js";

/** A running service. */
export interface SelfHosted {
  url: string;
  org: string;
  /** An API key of scope admin, stored in the data folder. */
  apiKey: string;
  /** Whether this start has made the key. */
  isKeyNew: boolean;
  /** An address of the page that signs its visitor in, once and within ten minutes. */
  pageAddress(): Promise<string>;
  /** Accepts no more requests, waits for some time until the current runs end, and closes the database. */
  stop(): Promise<void>;
}

/** Starts everything. If the data folder is in use or the port is taken, stops everything again and rejects. */
export async function selfHosted(options: Flags["serve"]): Promise<SelfHosted> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    // Last opened, first closed.
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const shared = options.database !== undefined;
    const folder = await openedFolder(options.data, { ...options, shared });
    closers.push(() => folder.release());
    // Another process may be working on files that look unfinished.
    if (!shared) await sweep(folder.repositories);
    const { fetch, network, options: operated, complain } = operation(options, folder);
    closers.push(async () => fetch.close());
    const { repositories } = folder;
    const engine = engineThreads({ repositories, network, threads: options.concurrency });
    closers.push(() => engine.close());
    const database =
      options.database === undefined
        ? await openEmbedded(folder.database, { check: folder.check })
        : await sharedDatabase(options.database, options, complain);
    closers.push(() => database.close());

    let listener: Listener | undefined;
    const { allowOrigin: allowedOrigins, rateLimit, metrics } = options;
    const service = new Service({
      database,
      git: gitHttpBackend({ root: repositories, check: folder.check }),
      engine,
      ...operated,
      // If the port is 0, the listener knows the real port.
      publicUrl: () => options.publicUrl ?? listener?.url,
      metrics,
      ...(allowedOrigins && { allowedOrigins }),
      ...(rateLimit && { rateLimit }),
      ...limits(options),
    });
    const { acceptLostRepositories } = options;
    await folder.attach(database, { migrate: () => service.migrate(), acceptLostRepositories });
    // Because of the folder's lock, this process is alone.
    if (!shared) await service.adopt();
    await service.ensureOrganization(options.org);
    const { apiKey, isKeyNew } = await keptApiKey(service, folder, options.org);

    const page = fileURLToPath(new URL("../../page", import.meta.url));
    const { port, host: hostname } = options;
    const listening = await serve({ service, hostname, port, onError: complain, ...(existsSync(page) && { page }) });
    listener = listening;
    let atWork: AtWork | undefined;
    closers.push(async () => {
      // While the last answers are sent, no new work begins.
      atWork?.claimNothingMore();
      await listening.close();
      await atWork?.stop();
    });
    // With a PostgreSQL, several processes share the folder, and the operator's commands go to the database.
    if (!shared) {
      const served = await serveOperator(folder.path, (request) => service.operatorFetch(request)).catch((error) => {
        complain(`commands such as refsync keys do not work while this runs: ${String(error)}`);
      });
      if (served) closers.push(served);
    }
    if (options.worker) atWork = await workFor(service, database, options, complain);
    const { url } = listening;
    const { org } = options;
    const pageAddress = async () => `${url}/#code=${await service.createPageCode(org)}`;
    return { url, org, apiKey, isKeyNew, pageAddress, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The key of an earlier start, unless the database no longer knows it. */
async function keptApiKey(service: Service, folder: DataFolder, org: string) {
  const kept = await folder.readKept("api-key");
  if (kept !== null && (await isKnown(service, kept))) return { apiKey: kept, isKeyNew: false };
  const apiKey = await service.createApiKey(org, "admin", "refsync serve");
  await folder.keep("api-key", apiKey);
  return { apiKey, isKeyNew: true };
}

async function isKnown(service: Service, apiKey: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const { ok } = await service.fetch(new Request("http://localhost/v1/whoami", { headers }));
  return ok;
}
