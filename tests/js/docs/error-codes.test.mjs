// docs/reference/errors.md lists exactly the codes that the code has. The lists come from the sources: the functions `code()` of
// Rust, the reasons of src/api, and each place in TypeScript that makes an error.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(root, "docs/reference/errors.md"), "utf8");

/** The rows of the page's tables, by section: the cells of each row. */
const sections = new Map(
  page.split(/^## /m).map((part) => {
    const [title = "", ...lines] = part.split("\n");
    const rows = lines.filter((line) => line.startsWith("| ") && !line.startsWith("| ---")).slice(1);
    return [
      title,
      rows.map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    ];
  }),
);

/**
 * The words in the first column of a section's table.
 *
 * @param {string} title
 */
function listed(title) {
  const rows = sections.get(title);
  assert.ok(rows, `errors.md has no section ${title}`);
  return rows.map(([first = ""]) => first.replaceAll("`", ""));
}

/**
 * The text of a source file.
 *
 * @param {string} path
 */
const source = (path) => readFileSync(join(root, path), "utf8");

/**
 * All files of a folder with this ending, generated ones excepted.
 *
 * @param {string} folder
 * @param {string} ending
 */
function files(folder, ending) {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(ending) && (ending !== ".ts" || !/^wasm\/(client|engine|service)\//.test(name)))
    .map((name) => `${folder}/${name}`);
}

/**
 * The words in the body of each function of this name.
 *
 * @param {string} text A Rust source.
 * @param {string} name
 */
function wordsOf(text, name) {
  const bodies = [...text.matchAll(new RegExp(`^( *)(?:pub(?:\\([^)]*\\))? )?fn ${name}\\([\\s\\S]*?^\\1\\}`, "gm"))];
  return bodies.flatMap(([body]) => [...body.matchAll(/"(\w+)"/g)].map(([, word = ""]) => word));
}

const rust = new Map(files("src", ".rs").map((path) => [path, wordsOf(source(path), "code")]));

/** Every code that TypeScript makes, with the file that makes it. */
const typescript = files("pkg/src", ".ts").flatMap((path) => {
  const text = source(path);
  const patterns = [
    /\bcode: "(\w+)"/g,
    /\bcode = "(\w+)"/g,
    /new Refusal\(\s*\d+,\s*"(\w+)"/g,
    /= "([A-Z]+(?:_[A-Z]+)+)";/g,
    /\berror\("([A-Z_]+)"/g,
    /\(\["([A-Z_]{3,})", "/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = ""]) => ({ path, code })));
});

test("the codes are found where the sources declare them", () => {
  const places = [...rust].filter(([, words]) => words.length > 0).map(([path]) => path);
  // A place that is not here is new. Add it below, or correct the pattern.
  assert.deepEqual(places.sort(), [
    "src/client/errors.rs",
    "src/error.rs",
    "src/git/error.rs",
    "src/git/limits.rs",
    "src/service/error.rs",
    "src/sync/error.rs",
    "src/wasm/engine/error.rs",
  ]);
  assert.ok(typescript.length > 25, `${typescript.length} places only`);
});

test("the REST API's codes are those of the service", () => {
  assert.deepEqual(listed("REST API").sort(), [...new Set(rust.get("src/service/error.rs"))].sort());
});

test("each status of the REST API's codes is the one that the service sends", () => {
  const text = source("src/service/error.rs");
  const arms = (/** @type {string} */ name) => {
    const body = new RegExp(`fn ${name}\\([\\s\\S]*?\\n    \\}`).exec(text)?.[0] ?? "";
    return [...body.matchAll(/(Self::[^=]*?)=> "?(\w+)"?,/g)].map(([, kinds = "", value = ""]) => ({ kinds, value }));
  };
  // Variants that share an arm in one function may have arms of their own in the other.
  const statuses = arms("status").flatMap(({ kinds, value }) => kinds.split("|").map((kind) => [normal(kind), value]));
  const status = new Map(/** @type {[string, string][]} */ (statuses));
  for (const { kinds, value } of arms("code")) {
    const row = sections.get("REST API")?.find(([first]) => first === `\`${value}\``);
    for (const kind of kinds.split("|")) {
      assert.ok(status.get(normal(kind)), `${kind} has a status`);
      assert.match(row?.[1] ?? "", new RegExp(`^${status.get(normal(kind))}, \``), value);
    }
  }
});

/** @param {string} kind */
function normal(kind) {
  return kind.replaceAll(/\s/g, "").replace(/\(_\)|\{\.\.\}/, "");
}

test("the client's codes are those of its errors, and those that it takes over from an answer", () => {
  const text = source("src/client/errors.rs");
  const own = new Set([...(rust.get("src/client/errors.rs") ?? []), ...(rust.get("src/error.rs") ?? [])]);
  const shared = new Set([...listed("REST API"), ...listed("Client")]);
  for (const code of [...own, ...wordsOf(text, "default_code")]) assert.ok(shared.has(code), `${code} has no row`);
  for (const code of listed("Client")) assert.ok(own.has(code), `${code} is not made by the client`);
});

test("the engine's codes are those of its errors", () => {
  const fromRust = ["git/error", "git/limits", "sync/error", "wasm/engine/error"].flatMap(
    (path) => rust.get(`src/${path}.rs`) ?? [],
  );
  const own = new Set([...fromRust, "engine_failed", "engine_stopped", "engine_busy"]);
  assert.deepEqual(listed("Sync errors of the engine").sort(), [...own].sort());
});

test("the reasons of a ref are those of the API", () => {
  const declared = /pub enum Reason \{([\s\S]*?)\n\}/.exec(source("src/api/sync.rs"))?.[1] ?? "";
  const names = [...declared.matchAll(/^ {4}([A-Z]\w+),$/gm)].map(([, name = ""]) => name);
  const words = names.map((name) => name.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase());
  assert.ok(words.length >= 12, `${words.length} reasons only`);
  assert.deepEqual(listed("Reasons of a ref").sort(), words.sort());
});

test("every code that TypeScript makes is on the page", () => {
  for (const { path, code } of typescript) {
    assert.ok(page.includes(`\`${code}\``), `${path} makes ${code}, which has no row in docs/reference/errors.md`);
  }
  const made = new Set(typescript.map(({ code }) => code));
  for (const code of [...listed("Webhooks"), ...listed("Relay")]) assert.ok(made.has(code), `nothing makes ${code}`);
});

test("the texts of failed runs are those of the service", () => {
  const texts = files("src/service", ".sql").map(source).join("\n");
  for (const text of listed("Errors of a run")) {
    for (const part of text.split("…")) assert.ok(texts.includes(part.trim()), part);
  }
});

test("the exit codes are those of the command", async () => {
  const { exitCode } = await import("../../../pkg/dist/cli/exit-code.js");
  assert.deepEqual(listed("Exit codes of the command"), Object.values(exitCode).map(String));
});

test("every row has a meaning and a remedy, and says whether a retry helps", () => {
  for (const [title, rows] of sections) {
    const hasRetry = !["Errors of a run", "Exit codes of the command"].includes(title);
    for (const cells of rows) {
      for (const cell of cells) assert.notEqual(cell, "", `${title}: ${cells[0]}`);
      if (hasRetry) assert.match(cells.at(-1) ?? "", /^(no|helps|only|after|depends)/, `${title}: ${cells[0]}`);
    }
  }
});
