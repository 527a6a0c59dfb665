// Measures through which files a call of the client gets to its SQL statement.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import inspector from "node:inspector";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PGlite } from "@electric-sql/pglite";

import { root } from "../../../scripts/command.mjs";
import { namedBuild, sourceOf, typescriptOf } from "./named-build.mjs";

/**
 * @import { Profiler, Runtime } from "node:inspector"
 *
 * @typedef {object} Walk
 * @property {string[]} stack The files that have a function on the call stack, from the client's method to the statement.
 * @property {string[]} ran All files that have a function that ran between the start of the call and the start of the statement.
 * @property {{ client: string[], service: string[] }} functions The Rust functions that ran, an entry for each time.
 */

const STATEMENT = "src/service/store/sql/queue_enqueue.sql";

/**
 * Makes one `client.repos.syncUpstream()`, over HTTP to a service on PGlite. All of it is in this process.
 *
 * @returns {Promise<Walk>}
 */
export async function walk() {
  const build = await namedBuild();
  let isWalking = false;
  /** @type {Walk["functions"]} */
  const functions = { client: [], service: [] };
  let side = functions.client;
  Object.assign(globalThis, {
    walk: { ran: (/** @type {number} */ at) => void (isWalking && side.push(build.functions[at] ?? "")) },
  });
  const { client, close } = await start(build);

  /** @type {Set<string>} */
  const stack = new Set();
  const session = new Session();
  session.connect();
  session.on("Runtime.consoleAPICalled", ({ params }) => {
    for (const file of filesOf(params.stackTrace)) stack.add(file);
  });
  await session.post("Runtime.enable");
  await session.post("Debugger.enable");
  await session.post("Debugger.setAsyncCallStackDepth", { maxDepth: 32 });
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  /** @type {Promise<Profiler.TakePreciseCoverageReturnType> | undefined} */
  let coverage;
  const sql = readFileSync(join(root, STATEMENT), "utf8");
  const statement = sql
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("--"))
    .join("\n");
  const { WasmClient } = await build.load("wasm/client/refsync.js");
  const { Service } = await build.load("wasm/service/refsync.js");
  // A stack ends where the call goes over HTTP, and where JavaScript calls Rust, because a call of Rust is a task of its own.
  const probes = [
    probe(WasmClient.prototype, "call"),
    probe(globalThis, "fetch"),
    probe(Service.prototype, "fetch", () => {
      side = functions.service;
    }),
    probe(PGlite.prototype, "query", (text) => {
      if (text !== statement) return false;
      isWalking = false;
      coverage = session.post("Profiler.takePreciseCoverage");
    }),
  ];
  await session.post("Profiler.takePreciseCoverage");
  isWalking = true;
  await client.repos.syncUpstream({ repo: "app", direction: "pull", ref_globs: { branches: "main" } });
  for (const remove of probes) remove();
  if (coverage === undefined) throw new Error(`${STATEMENT} was not executed`);
  const scripts = (await coverage).result;
  session.disconnect();
  await close();

  const typescript = scripts.filter((script) =>
    script.functions.some((each) => each.ranges.some(({ count }) => count)),
  );
  const rust = [...functions.client, ...functions.service];
  const ran = [...typescript.map(({ url }) => typescriptOf(url)), ...rust.map(sourceOf), STATEMENT];
  return {
    stack: [...stack, STATEMENT],
    ran: [...new Set(ran.filter((file) => file !== undefined))].sort(),
    functions,
  };
}

/**
 * A service with the repository `app`, and a client of it.
 *
 * @param {import("./named-build.mjs").NamedBuild} build
 */
async function start({ load, wasm }) {
  const { SyncClient } = await load("index.js");
  const { Service } = await load("service.js");
  const { gitHttpBackend, guardedFetch, openEmbedded, serve } = await load("node.js");
  const folder = await mkdtemp(join(tmpdir(), "refsync-walk-"));
  const database = await openEmbedded(join(folder, "database"));
  const git = gitHttpBackend({ root: join(folder, "repositories") });
  const service = new Service({ database, git, fetch: guardedFetch(), secretKey: new Uint8Array(32), wasm });
  await service.migrate();
  await service.ensureOrganization("acme");
  const listener = await serve({ service });
  const apiKey = await service.createApiKey("acme", "write");
  const client = new SyncClient({ apiUrl: listener.url, apiKey, org: "acme", wasm });
  await client.repos.create({ name: "app", upstream: { url: "https://git.example.com/app.git" } });
  const close = async () => {
    await listener.close();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { client, close };
}

/**
 * Takes the call stack before each call of a method, unless `looks` returns false. Returns a function that ends this.
 *
 * @param {any} object
 * @param {string} method
 * @param {(first: unknown) => unknown} [looks]
 */
function probe(object, method, looks = () => true) {
  const own = object[method];
  /** @this {unknown} @param {unknown[]} args */
  object[method] = function probed(...args) {
    if (looks(args[0]) !== false) inspector.console.trace();
    return own.apply(this, args);
  };
  return () => {
    object[method] = own;
  };
}

/**
 * The files of a stack and of the stacks that await it, the outermost function first.
 *
 * A stack with Rust functions has all of them, because a future polls the future that it awaits. Stacks before it are left out: there the
 * same task waited for an earlier answer.
 *
 * @param {Runtime.StackTrace | undefined} stack
 */
function filesOf(stack) {
  /** @type {(string | undefined)[]} */
  const files = [];
  for (let part = stack; part !== undefined; part = part.parent) {
    files.unshift(
      ...part.callFrames.map(({ functionName, url }) => sourceOf(functionName) ?? typescriptOf(url)).reverse(),
    );
    if (part.callFrames.some(({ url }) => url.startsWith("wasm:"))) break;
  }
  return files.filter((file) => file !== undefined);
}
