// The package's types, as a user's compiler reads them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = new URL("../../", import.meta.url);
const dist = new URL("pkg/dist/", root);

test("a user's script with every exported type compiles", async () => {
  const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", root));
  const project = fileURLToPath(new URL("tests/js/types", root));
  const output = await promisify(execFile)(tsc, ["--strict", "--noEmit", "--project", project]).catch((error) => error);
  assert.equal(output.stdout, "", "tsc has nothing to say");
  assert.equal(output.code, undefined, output.stderr);
});

test("the scripts leave no exported name out", () => {
  // The smallest number of names in an entry. If there are fewer, this test reads the entry wrongly.
  /** @type {[entry: string, file: string, fewest: number][]} */
  const entries = [
    ["index.d.ts", "user.ts", 40],
    ["engine.d.ts", "server.ts", 15],
    ["service.d.ts", "server.ts", 6],
    ["proxy.d.ts", "server.ts", 3],
    ["webhooks.d.ts", "webhooks.ts", 20],
    ["node.d.ts", "server.ts", 14],
  ];
  for (const [entry, file, fewest] of entries) {
    const script = readFileSync(new URL(`tests/js/types/${file}`, root), "utf8");
    const names = exportedNames(entry);
    assert.ok(names.size >= fewest, `${entry} exports ${names.size} names only`);
    for (const name of names) {
      const uses = script.match(new RegExp(`\\b${name}\\b`, "g")) ?? [];
      assert.ok(uses.length >= 2, `${file} has to import and use ${name} of ${entry}`);
    }
  }
});

test("no exported declaration contains any", () => {
  for (const { entry, build } of [
    { entry: "index.d.ts", build: "client" },
    { entry: "engine.d.ts", build: "engine" },
  ]) {
    const glue = declarations(`wasm/${build}/refsync.d.ts`);
    assert.match(
      glue.get("InitOutput") ?? "",
      ANY,
      "wasm-bindgen's own interface has some, which shows that they are found",
    );
    for (const name of exportedNames(entry)) {
      assert.doesNotMatch(glue.get(name) ?? "", ANY, `${name} of the generated types`);
    }
  }
  // Only our own declarations, those of every entry.
  const own = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".d.ts") && !/^wasm[/\\]\w+[/\\]/.test(file),
  );
  assert.ok(own.includes("index.d.ts"));
  for (const file of own) {
    // The DOM library's own declaration of this type has `any`, and all declarations need the same type parameters.
    const source = withoutComments(read(file)).replace("interface ReadableStream<R = any>", "");
    assert.doesNotMatch(source, ANY, file);
  }
});

const ANY = /\bany\b/;

/** @param {string} file */
function read(file) {
  return readFileSync(new URL(file, dist), "utf8");
}

/**
 * Removes comments and texts, because they may contain the word "any".
 *
 * @param {string} source
 */
function withoutComments(source) {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm, "");
}

/**
 * The names that a module exports.
 *
 * @param {string} file
 * @returns {Set<string>}
 */
function exportedNames(file) {
  const source = withoutComments(read(file));
  assert.doesNotMatch(source, /export \*/, "an entry names what it exports");
  /** @type {Set<string>} */
  const names = new Set();
  for (const [, name = ""] of source.matchAll(
    /export (?:declare )?(?:abstract )?(?:class|interface|type|const|function) (\w+)/g,
  )) {
    names.add(name);
  }
  for (const [, list = ""] of source.matchAll(/export (?:type )?\{([^}]*)\}/g)) {
    for (const name of list.split(",")) if (name.trim()) names.add(name.trim().split(/\s+/).at(-1) ?? name);
  }
  return names;
}

/**
 * The top-level declarations of a generated file, by name.
 *
 * @param {string} file
 * @returns {Map<string, string>}
 */
function declarations(file) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const part of withoutComments(read(file)).split(/^(?=export |declare )/m)) {
    const name = part.match(/^export (?:class|interface|type) (\w+)/)?.[1];
    if (name) found.set(name, part);
  }
  return found;
}
