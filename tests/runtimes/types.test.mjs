// The packed package's types, as the compilers of users read them: every way in which TypeScript finds modules, with and
// without the DOM library and @types/node.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { project } from "../support/package/packed.mjs";

const run = promisify(execFile);
const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
/** The last release of TypeScript that has `node10`. Most programs use it or an older one. */
const typescript5 = fileURLToPath(new URL("node_modules/typescript-5", import.meta.url));
const more = process.env.REFSYNC_MATRIX === "all" ? {} : { skip: "npm run test:runtimes runs it" };

/** Uses every entry that needs no types of Node. */
const PROGRAM = `
import { NotFoundError, SyncClient, type SyncRun } from "refsync";
import { sync } from "refsync/engine";
import { gitProxy } from "refsync/proxy";
import { Service } from "refsync/service";
import { Webhooks } from "refsync/webhooks";
import code from "refsync/client.wasm";

export const client = new SyncClient({ apiUrl: "http://127.0.0.1:8722", apiKey: "key", wasm: code });
export async function names(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of client.repos.list({ limit: 20 })) names.push(name);
  return names;
}
export async function refs(run: SyncRun): Promise<number> {
  const { stats } = await client.syncs.wait(run);
  // @ts-expect-error a number is not a text, so the types are really read
  const wrong: string = stats.refs.length;
  return wrong.length;
}
export const isMissing = (error: unknown) => error instanceof NotFoundError && error.status === 404;
export const receiver = new Webhooks({ secret: "s", on: { "sync.failed": ({ data }) => void data.sync.error } });
export const others = [sync, gitProxy, Service];
`;

/** A CommonJS module may not import an ES module statically under `node16`. Types may come from it, and `import()` loads it. */
const COMMONJS = `
import type { SyncRun } from "refsync" with { "resolution-mode": "import" };

export async function names(): Promise<string[]> {
  const { SyncClient } = await import("refsync");
  const client = new SyncClient({ apiUrl: "http://127.0.0.1:8722", apiKey: "key" });
  const { repos } = await client.repos.list({ limit: 20 });
  return repos.map(({ name }) => name);
}
export async function wait(run: SyncRun): Promise<number> {
  const { SyncClient } = await import("refsync");
  const { stats } = await new SyncClient().syncs.wait(run);
  // @ts-expect-error a number is not a text, so the types are really read
  const wrong: string = stats.refs.length;
  return wrong.length;
}
`;

/** Uses the entry for Node, whose types need @types/node. */
const NODE = `
import { openDataFolder, serve } from "refsync/node";
export const parts = [openDataFolder, serve];
`;

/**
 * The ways to find modules.
 *
 * @type {Record<string, { file: string, program?: string, options: Record<string, string | boolean> }>}
 */
const ways = {
  "node10 with CommonJS": {
    file: "program.ts",
    options: { module: "commonjs", moduleResolution: "node10", esModuleInterop: true },
  },
  "node16 with ES modules": { file: "program.mts", options: { module: "node16" } },
  "node16 with CommonJS": { file: "program.cts", program: COMMONJS, options: { module: "node16" } },
  "nodenext with ES modules": { file: "program.mts", options: { module: "nodenext" } },
  "nodenext with CommonJS": { file: "program.cts", options: { module: "nodenext" } },
  bundler: { file: "program.ts", options: { module: "esnext", moduleResolution: "bundler" } },
};

/** @type {Record<string, { lib: string[], types: string[] }>} */
const libraries = {
  "the DOM library": { lib: ["es2022", "dom"], types: [] },
  "@types/node": { lib: ["es2022"], types: ["node"] },
  "the DOM library and @types/node": { lib: ["es2022", "dom"], types: ["node"] },
  "neither the DOM library nor @types/node": { lib: ["es2022"], types: [] },
};

/** @type {import("../support/package/packed.mjs").Project} */
let user;

before(async () => {
  user = await project();
  for (const name of ["@types/node", "undici-types"])
    await cp(join(modules, name), join(user.root, "node_modules", name), { recursive: true });
});

after(() => user?.remove());

/**
 * Compiles a program, and returns the compiler's messages.
 *
 * @param {string} typescript The folder of the compiler.
 * @param {string} name
 * @param {string} file
 * @param {string} program
 * @param {object} options
 */
async function compile(typescript, name, file, program, options) {
  const own = name.replaceAll(/\W+/g, "-");
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
  const compilerOptions = { target: "es2022", ...strict, ...options };
  await writeFile(join(user.root, `${own}-${file}`), program);
  await writeFile(join(user.root, `${own}.json`), JSON.stringify({ compilerOptions, files: [`${own}-${file}`] }));
  const command = [join(typescript, "bin/tsc"), "--project", `${own}.json`];
  const ran = await run(process.execPath, command, { cwd: user.root }).catch((error) => error);
  return ran.stdout + ran.stderr;
}

/** @type {[name: string, folder: string, ways: [string, typeof ways[string]][], how: object][]} */
const compilers = [
  ["TypeScript 7", join(modules, "typescript"), Object.entries(ways).filter(([way]) => !way.startsWith("node10")), {}],
  ["TypeScript 5.9", typescript5, Object.entries(ways), more],
];

for (const [compiler, folder, found, how] of compilers) {
  for (const [way, { file, program = PROGRAM, options }] of found) {
    for (const [library, given] of Object.entries(libraries)) {
      const name = `${compiler}, ${way}, ${library}`;
      test(`the types compile: ${name}`, { timeout: 60_000, ...how }, async () => {
        assert.equal(await compile(folder, name, file, program, { ...options, ...given }), "");
      });
    }
  }
  test(`the types of refsync/node compile without the DOM library: ${compiler}`, how, async () => {
    const options = { module: "nodenext", lib: ["es2022"], types: ["node"] };
    assert.equal(await compile(folder, `${compiler}, refsync/node`, "node.mts", NODE, options), "");
  });
}
