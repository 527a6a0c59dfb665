// What an editor shows for the package's public names: each has a comment, and each example compiles.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { entries, examplesIn, hovers } from "./hovers.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const all = entries.flatMap(([entry, file]) => hovers(entry, file));

/** Whether this is the name of an error's class: its own hover is the class's. */
const isErrorName = (/** @type {string} */ name) => /Error\.name$/.test(name);

test("every exported name, field and method has a comment, or its type's comment names it", () => {
  assert.ok(all.length > 500, `${all.length} names only`);
  const docs = new Map(all.map(({ name, doc }) => [name, doc]));
  for (const { name, doc } of all) {
    if (doc || isErrorName(name)) continue;
    // Fields of a Rust enum and of an object inside a field cannot have a comment of their own everywhere.
    const [, parent = "", field] = /^(.*)\.(\w+)$/.exec(name) ?? [];
    assert.ok(docs.get(parent)?.includes(`\`${field}\``), `${name} has no comment`);
  }
});

test("every number says its unit or what it counts", () => {
  const numbers = all.filter(
    ({ kind, type }) => kind === "field" && /^(number|null|undefined| |\|)+$/.test(type) && /number/.test(type),
  );
  assert.ok(numbers.length > 50, `${numbers.length} numbers only`);
  const words = /bytes|MB|seconds|how many|at most this many|number of|the most|index|HTTP status|count/i;
  // Fields that are named in the comment of their type are described there.
  for (const { name, doc } of numbers.filter(({ doc }) => doc)) assert.match(doc, words, name);
});

test("every field that may be left out says what holds then", () => {
  const optional = all.filter(({ kind, optional, doc }) => kind === "field" && optional && doc);
  assert.ok(optional.length > 100, `${optional.length} fields only`);
  const words = /default|left out|omit|\bif\b|\bonly\b|\bwhile\b/i;
  for (const { name, doc } of optional) assert.match(doc, words, name);
});

test("every function and class has an example, except errors, whose base class has one", () => {
  const wanted = all.filter(({ name, kind }) => /function|class/.test(kind) && !/Error$/.test(name));
  assert.ok(wanted.length >= 20, `${wanted.length} only`);
  for (const { name, doc } of wanted) assert.match(doc, /@example\n```ts\n/, `${name} has no @example`);
  const base = all.find(({ name }) => name === "refsync: RefsyncError");
  assert.match(base?.doc ?? "", /@example/);
});

test("what a function or method rejects with is in a @throws", () => {
  for (const { name, kind, doc } of all.filter(({ kind }) => /function|method/.test(kind))) {
    assert.doesNotMatch(doc.split(/^@/m)[0] ?? "", /\b(Rejects|Throws)\b/, `${name} (${kind})`);
  }
  const thrown = all.filter(({ doc }) => /^@throws /m.test(doc));
  assert.ok(thrown.length > 20, `${thrown.length} only`);
});

/** The values that an example may use without making them. */
const given = {
  client: 'import("refsync").SyncClient',
  webhooks: 'import("refsync/webhooks").Webhooks',
  service: 'import("refsync/service").Service',
  options: 'import("refsync/service").ServiceOptions',
  app: 'import("express").Express',
  request: "Request",
  token: "string",
};

test("every example compiles under strict", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "refsync-hovers-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  let count = 0;
  for (const { name, doc } of all) {
    for (const code of examplesIn(doc)) {
      count += 1;
      // The module's text is the same for readers of the README.
      const own = (/** @type {string} */ value) =>
        new RegExp(`(const|let|function) (\\{[^}]*)?\\b${value}\\b|\\(${value}: `).test(code);
      const uses = (/** @type {string} */ value) => new RegExp(`(?<![\\w"/]|[^.]\\.)${value}\\b(?!["'/])`).test(code);
      const needed = Object.entries(given).filter(([value]) => uses(value) && !own(value));
      const lines = needed.map(([value, type]) => `declare const ${value}: ${type};`);
      await writeFile(join(folder, `example-${count}.ts`), `// ${name}\n${code}\n${lines.join("\n")}\nexport {};\n`);
    }
  }
  assert.ok(count >= 25, `${count} examples only`);
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout } = await promisify(execFile)(tsc, ["--project", folder]).catch((error) => error);
  assert.equal(stdout, "");
  t.diagnostic(`${count} examples`);
});
