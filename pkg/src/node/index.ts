/**
 * What the engine and the service need from Node: a guarded `fetch`, hosted repositories, a listener, a data folder.
 *
 * @module
 */

export { type Worker, type WorkOptions, work } from "../worker.js";
export { AddressNotAllowedError, type AddressPolicyOptions } from "./address-policy.js";
export { type DataFolder, type DataFolderOptions, openDataFolder } from "./data-folder.js";
export { type NotifyingDatabase, openPostgres, type PostgresOptions, type Waiting } from "./database.js";
export { type EmbeddedOptions, openEmbedded } from "./embedded.js";
export { type EngineThreads, type EngineThreadsOptions, engineThreads } from "./engine-threads.js";
export { type GitHttpBackendOptions, gitHttpBackend } from "./git-http-backend.js";
export { type GuardedFetch, type GuardedFetchOptions, guardedFetch } from "./guarded-fetch.js";
export { type ServeOptions, serve } from "./listener.js";
export { type LogOptions, lineLog } from "./log.js";
export type { Listener } from "./port.js";
