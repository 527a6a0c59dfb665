/**
 * The REST API, its durable queue and its worker, as one `fetch(Request) → Response` over a database and a Git host.
 *
 * ```ts
 * import { PGlite } from "@electric-sql/pglite";
 * import { gitHttpBackend, guardedFetch, work } from "refsync/node";
 * import { Service } from "refsync/service";
 *
 * const service = new Service({
 *   database: new PGlite("./data/database"),
 *   git: gitHttpBackend({ root: "./data/repositories" }),
 *   fetch: guardedFetch(),
 *   secretKey: crypto.getRandomValues(new Uint8Array(32)), // keep it: it seals stored credentials
 * });
 * await service.migrate();
 * await service.ensureOrganization("acme");
 * const apiKey = await service.createApiKey("acme", "admin");
 * work(service);
 * const answer = await service.fetch(
 *   new Request("http://localhost/v1/whoami", { headers: { authorization: `Bearer ${apiKey}` } }),
 * );
 * ```
 *
 * @module refsync/service
 */
export type {} from "./globals.js";
export type { Database, Fetch, GitHost, RepairedRepository } from "./host.js";
export type { ServiceEngine } from "./service/engine.js";
export type { LogRecord, Scope, ServiceOptions } from "./service/options.js";
export { Service } from "./service/service.js";
export type { WasmSource } from "./wasm/load.js";
