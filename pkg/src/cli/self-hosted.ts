/**
 * The whole service on this machine, from one data folder: database, repositories, worker, listener, page.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { Database } from "../host.js";
import { type DataFolder, openDataFolder } from "../node/data-folder.js";
import { gitHttpBackend, sweep } from "../node/git-http-backend.js";
import { guardedFetch } from "../node/guarded-fetch.js";
import { serve } from "../node/listener.js";
import { Service } from "../service.js";
import { type Worker, work } from "../worker.js";

/** What is served from where. */
export interface SelfHostedOptions {
  /** The data folder; it is made where there is none. */
  data: string;
  host: string;
  port: number;
  /** The organisation that is made at the first start. */
  org: string;
  allowPrivateNetwork: boolean;
}

/** A service that answers. */
export interface SelfHosted {
  url: string;
  org: string;
  /** An API key of scope admin, kept in the data folder. */
  apiKey: string;
  /** Stops accepting, lets what runs come to its end for a while, and closes the database. */
  stop(): Promise<void>;
}

/** Starts everything. Rejects where the data folder is in use or the port is taken, with nothing left running. */
export async function selfHosted(options: SelfHostedOptions): Promise<SelfHosted> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    // Last opened, first closed.
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const folder = await openDataFolder(options.data);
    closers.push(() => folder.release());
    await sweep(folder.repositories);
    const database = await embeddedDatabase(folder.database);
    closers.push(() => database.close());

    const fetch = guardedFetch({ allowPrivateNetwork: options.allowPrivateNetwork });
    closers.push(async () => fetch.close());
    let worker: Worker | undefined;
    // A free port is not known yet; webhooks then name repositories by their path alone.
    const bracketed = options.host.includes(":") ? `[${options.host}]` : options.host;
    const publicUrl = options.port === 0 ? null : `http://${bracketed}:${options.port}`;
    const service = new Service({
      database,
      git: gitHttpBackend({ root: folder.repositories }),
      fetch,
      secretKey: folder.secretKey,
      onQueued: () => worker?.wake(),
      ...(publicUrl !== null && { publicUrl }),
    });
    await service.migrate();
    await service.ensureOrganization(options.org);
    const apiKey = await keptApiKey(service, folder, options.org);

    const stopping = new AbortController();
    worker = work(service, { signal: stopping.signal, onError: (error) => complain(`worker: ${String(error)}`) });
    const { stopped } = worker;
    closers.push(async () => {
      stopping.abort();
      // Most runs end within this; what does not is handed back, and goes on at the next start.
      const soon = new Promise<void>((resolve) => setTimeout(resolve, 5_000).unref());
      await Promise.race([stopped, soon]);
      await service.stop();
      const late = new Promise<void>((resolve) => setTimeout(resolve, 10_000).unref());
      await Promise.race([stopped, late]);
    });

    const page = fileURLToPath(new URL("../page", import.meta.url));
    const { port, host: hostname } = options;
    const listener = await serve({ service, hostname, port, ...(existsSync(page) && { page }) });
    closers.push(() => {
      // While the last answers go out, nothing new is begun.
      stopping.abort();
      return listener.close();
    });
    return { url: listener.url, org: options.org, apiKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function embeddedDatabase(folder: string): Promise<Database & { close(): Promise<void> }> {
  const { PGlite } = await import("@electric-sql/pglite").catch((error: unknown) => {
    throw new Error("the embedded database is not installed; run: npm install @electric-sql/pglite", { cause: error });
  });
  await mkdir(folder, { recursive: true });
  return PGlite.create(folder);
}

/** The key of an earlier start, unless the database no longer knows it. */
async function keptApiKey(service: Service, folder: DataFolder, org: string): Promise<string> {
  const kept = await folder.readKept("api-key");
  if (kept !== null && (await isKnown(service, kept))) return kept;
  const made = await service.createApiKey(org, "admin", "refsync serve");
  await folder.keep("api-key", made);
  return made;
}

async function isKnown(service: Service, apiKey: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const { ok } = await service.fetch(new Request("http://localhost/v1/whoami", { headers }));
  return ok;
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
