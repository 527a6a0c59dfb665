// What `refsync sync` loads: each of these modules costs a sync with nothing to do 3 to 20 ms.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../../pkg/bin/refsync.js", import.meta.url));

const LOADED = `process.on("exit", () => console.log(JSON.stringify(process.moduleLoadList)));`;

test("a sync over http loads neither Node's fetch nor TLS nor languages", () => {
  const listing = `data:text/javascript,${encodeURIComponent(LOADED)}`;
  const args = ["--import", listing, bin, "sync", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  assert.match(stderr, /ECONNREFUSED/, "it came as far as its first request");
  const loaded = JSON.parse(stdout).map((name) => name.replace(/^NativeModule /, ""));
  assert.ok(loaded.includes("http"), "the list names what was loaded");
  for (const name of ["internal/deps/undici/undici", "https", "tls", "zlib"]) assert.ok(!loaded.includes(name), name);
});

test("the command is one file: of the package it imports only where the WebAssembly is", () => {
  const main = readFileSync(new URL("../../../pkg/dist/cli/main.js", import.meta.url), "utf8");
  const imports = [...main.matchAll(/^import .*from "([^"]+)";$/gm)].map(([, name]) => name);
  assert.deepEqual(
    imports.filter((name) => !name.startsWith("node:")),
    ["#engine-wasm"],
  );
});
