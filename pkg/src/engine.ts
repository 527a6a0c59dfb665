/**
 * The sync engine: it copies refs and their objects from one Git remote to another, over `fetch`.
 *
 * The source's pack streams straight into the destination's push: no clone, no disk, no `git`, and memory that does not
 * depend on the size of the repository.
 *
 * ```ts
 * import { sync } from "refsync/engine";
 *
 * const stats = await sync({
 *   source: "https://git.example.com/upstream.git",
 *   destination: { url: "https://git.example.com/mirror.git", password: token },
 *   ref_globs: { branches: "release/*" },
 * });
 * for (const { name, outcome } of stats.refs) console.log(name, outcome);
 * ```
 *
 * @module refsync/engine
 */

export type { AskCredentials, Credentials, RemoteOptions, SyncGlobs, SyncOptions } from "./engine/options.js";
export { plan, sync } from "./engine/sync.js";
export { AbortError, type ErrorInit, InvalidRequestError, RefsyncError, SyncError } from "./errors.js";
export type {} from "./globals.js";
export type { EngineFetch, Fetch, FetchAnswer } from "./host.js";
export type {
  MessageSide,
  Outcome,
  Phase,
  Progress,
  Reason,
  RefGlobs,
  RemoteSettings,
  SyncRunMessage,
  SyncRunRef,
  SyncRunStats,
} from "./wasm/engine/refsync.js";
export type { WasmSource } from "./wasm/load.js";
