/**
 * The parts for Node that the engine and the service need: a guarded `fetch`, hosted repositories, a listener, a data folder.
 *
 * @module refsync/node
 */
export type {} from "./globals.js";
export type { AttachOptions } from "./node/data-folder/belonging.js";
export { type DataFolder, type DataFolderOptions, openDataFolder } from "./node/data-folder/data-folder.js";
export { type EmbeddedOptions, openEmbedded } from "./node/database/embedded.js";
export { type NotifyingDatabase, openPostgres, type PostgresOptions, type Waiting } from "./node/database/postgres.js";
export { type GitHttpBackendOptions, gitHttpBackend } from "./node/git/http-backend.js";
export { AddressNotAllowedError, type AddressPolicyOptions } from "./node/http/address-policy.js";
export { type GuardedFetch, type GuardedFetchOptions, guardedFetch } from "./node/http/guarded-fetch.js";
export { type ServeOptions, serve } from "./node/http/listener.js";
export type { Listener } from "./node/http/port.js";
export { type LogOptions, lineLog } from "./node/log.js";
export { type EngineThreads, type EngineThreadsOptions, engineThreads } from "./node/threads/engine-threads.js";
export { type Worker, type WorkOptions, work } from "./service/worker.js";
