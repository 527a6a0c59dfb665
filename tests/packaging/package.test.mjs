// The tarball, as the registry and other people's tools see it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { pack } from "../support/package/packed.mjs";

/** @typedef {string | { [condition: string]: Targets } | Targets[]} Targets Paths of a manifest, by condition. */

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** @param {string} name */
const bin = (name) => fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url));

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof pack>>} */
let tarball;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "refsync-pack-"));
  tarball = await pack(folder);
});

after(() => rm(folder, { recursive: true, force: true }));

test("the tarball holds what is used, and nothing else", async (t) => {
  const wasm = tarball.files.filter((file) => file.startsWith("dist/wasm/") && file.endsWith(".wasm"));
  const builds = ["client", "engine", "service"].map((build) => `dist/wasm/${build}/refsync_bg.wasm`);
  assert.deepEqual(wasm.sort(), builds);
  for (const file of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "bin/refsync.js", "dist/index.d.ts"])
    assert.ok(tarball.files.includes(file), file);
  for (const file of tarball.files) assert.match(file, /^(bin|dist)\/|^(package\.json|README\.md|LICENSE-\w+)$/);
  t.diagnostic(`${tarball.files.length} files`);
});

test("every target of exports, imports and bin is in the tarball", async () => {
  const manifest = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
  /**
   * @param {Targets} value
   * @returns {string[]}
   */
  const targets = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(targets));
  for (const target of targets([manifest.exports, manifest.imports, manifest.bin]))
    assert.ok(tarball.files.includes(target.replace(/^\.\//, "")), target);
});

test("the files of the package import only what its users install", async () => {
  const manifest = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
  const installed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, refsync: "" }));
  const seen = new Set();
  // A bundler has put everything into the files of the page.
  const modules = tarball.files.filter((file) => /(?<!^dist\/page\/.*)\.(js|d\.ts)$/.test(file));
  for (const file of modules) {
    const text = await readFile(join(root, "pkg", file), "utf8");
    for (const [, name = ""] of text.matchAll(IMPORTED)) {
      assert.ok(installed.has(name), `${file} imports ${name}, which is no dependency`);
      seen.add(name);
    }
  }
  assert.ok(seen.has("commander") && seen.has("hono"), [...seen].join());
});

test("publint has nothing to say", async () => {
  const { publint } = await import("publint");
  const { messages } = await publint({ pkgDir: join(root, "pkg"), strict: true });
  assert.deepEqual(messages, []);
});

test("are the types wrong? no", async () => {
  // A .wasm file has no JavaScript to resolve to.
  const entries = ["client.wasm", "engine.wasm", "service.wasm"].flatMap((entry) => ["--exclude-entrypoints", entry]);
  // The package has only ES modules: CommonJS loads them with import(), or with the require() of Node 20.19 and newer.
  const ignored = ["--ignore-rules", "cjs-resolves-to-esm"];
  // It exits with an error if it finds a problem.
  const { stdout } = await run(bin("attw"), [tarball.path, "--format", "ascii", ...ignored, ...entries]);
  for (const entry of ["", "/engine", "/service", "/node", "/webhooks", "/proxy"])
    assert.ok(stdout.includes(`"refsync${entry}"`));
});

test("npm publish --dry-run has no complaint", async () => {
  const { stdout, stderr } = await run("npm", ["publish", "--dry-run", "--ignore-scripts", tarball.path], {
    cwd: folder,
  });
  assert.match(stdout, /\+ refsync@/);
  // npm's messages about this machine's settings and about the login do not concern the package.
  const complaints = stderr.split("\n").filter((line) => /npm (warn|error)/i.test(line));
  const ours = complaints.filter((line) => !/Unknown (user|env) config|logged in/.test(line));
  assert.deepEqual(ours, []);
});

/** The import of another package, in code or in a type. */
const IMPORTED = /(?:\bfrom|\bimport|\bimport\()\s*["']((?:@[\w.-]+\/)?[a-z][\w.-]*)(?=["'/])/g;
