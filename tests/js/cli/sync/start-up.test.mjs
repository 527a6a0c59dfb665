// The modules that `refsync sync` loads. Each of these costs 3 to 20 ms in a sync with nothing to do.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bin } from "../../../support/process/refsync.mjs";

const LOADED = `process.on("exit", () => console.log(JSON.stringify(process.moduleLoadList)));`;

test("a sync over http loads neither Node's fetch nor TLS nor languages, nor the loader of ES modules", () => {
  const listing = join(mkdtempSync(join(tmpdir(), "refsync-start-")), "listing.cjs");
  writeFileSync(listing, LOADED);
  const args = ["--require", listing, bin, "sync", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  assert.match(stderr, /ECONNREFUSED/, "it came as far as its first request");
  /** @type {string[]} */
  const modules = JSON.parse(stdout);
  const loaded = modules.map((name) => name.replace(/^NativeModule /, ""));
  assert.ok(loaded.includes("http"), "the list names what was loaded");
  const dear = ["internal/deps/undici/undici", "https", "tls", "zlib", "internal/modules/esm/translators"];
  for (const name of dear) assert.ok(!loaded.includes(name), name);
});

test("the command is one file, and no ES module", () => {
  const main = readFileSync(new URL("../../../../pkg/dist/cli/main.cjs", import.meta.url), "utf8");
  const required = [...main.matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, name = ""]) => name);
  assert.ok(required.includes("node:http"), "the requires are found");
  assert.deepEqual(
    required.filter((name) => !isBuiltin(name)),
    [],
  );
});
