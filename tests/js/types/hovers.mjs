// Reads the package's public declarations and their doc comments, as an editor shows them.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { parseSync } from "rolldown/utils";

/**
 * @typedef {import("../../support/json.mjs").Json} Node A node of the syntax tree.
 *
 * @typedef {object} Documented Something that has a hover.
 * @property {string} name Such as `refsync/engine: SyncOptions.timeout`.
 * @property {"module" | "function" | "class" | "type" | "field" | "method" | "constant"} kind
 * @property {string} doc Its comment without the stars; empty if it has none.
 * @property {string} type The source text of its type, if it is a field.
 * @property {boolean} optional Whether it is a field that may be left out.
 */

const dist = fileURLToPath(new URL("../../../pkg/dist/", import.meta.url));

/** The entries of the package: the name to import, and the file. */
export const entries = /** @type {const} */ ([
  ["refsync", "index.d.ts"],
  ["refsync/engine", "engine.d.ts"],
  ["refsync/service", "service.d.ts"],
  ["refsync/node", "node.d.ts"],
  ["refsync/webhooks", "webhooks.d.ts"],
  ["refsync/proxy", "proxy.d.ts"],
]);

/**
 * Every exported name of an entry, and the fields and methods of each.
 *
 * @param {string} entry
 * @param {string} file
 * @returns {Documented[]}
 */
export function hovers(entry, file) {
  const module = parsed(join(dist, file));
  /** @type {Documented[]} */
  const found = [{ name: entry, kind: "module", doc: module.docBefore(module.body[0]), type: "", optional: false }];
  for (const [name, { module: home, node }] of exportsOf(join(dist, file))) {
    found.push(...declared(`${entry}: ${name}`, home, node));
  }
  return found;
}

/**
 * @typedef {object} Module A parsed file.
 * @property {string} path
 * @property {Node[]} body Its statements.
 * @property {(node: Node) => string} docBefore The doc comment that ends right before a node.
 * @property {(node: Node) => string} text The source of a node.
 */

/** @type {Map<string, Module>} */
const modules = new Map();

/**
 * @param {string} path
 * @returns {Module}
 */
function parsed(path) {
  const known = modules.get(path);
  if (known) return known;
  const source = readFileSync(path, "utf8");
  const { program, comments } = parseSync(path, source);
  const docs = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"));
  const module = {
    path,
    body: /** @type {Node[]} */ (program.body),
    docBefore: (/** @type {Node} */ node) => {
      const doc = docs.findLast(({ end }) => end <= node.start);
      if (!doc || source.slice(doc.end, node.start).trim() !== "") return "";
      return doc.value
        .replace(/^\*/, "")
        .replace(/^[ \t]*\* ?/gm, "")
        .trim();
    },
    text: (/** @type {Node} */ node) => source.slice(node.start, node.end),
  };
  modules.set(path, module);
  return module;
}

/**
 * The exports of a module by name, with the module that declares each.
 *
 * @param {string} path
 * @returns {Map<string, { module: Module, node: Node }>}
 */
function exportsOf(path) {
  const module = parsed(path);
  /** @type {Map<string, { module: Module, node: Node }>} */
  const found = new Map();
  for (const node of module.body) {
    if (node.type !== "ExportNamedDeclaration") continue;
    if (node.declaration) {
      const { declaration } = node;
      const name = declaration.id?.name ?? declaration.declarations?.[0].id.name;
      found.set(name, { module, node });
    }
    for (const specifier of node.specifiers ?? []) {
      const from = node.source ? exportsOf(join(dirname(path), node.source.value.replace(/\.js$/, ".d.ts"))) : null;
      const target = from?.get(specifier.local.name);
      if (!target) throw new Error(`${path}: ${specifier.local.name} is not found`);
      found.set(specifier.exported.name, target);
    }
  }
  return found;
}

/**
 * @param {string} name
 * @param {Module} module
 * @param {Node} node An export with a declaration.
 * @returns {Documented[]}
 */
function declared(name, module, node) {
  const { declaration } = node;
  const kinds = /** @type {Record<string, Documented["kind"]>} */ ({
    TSInterfaceDeclaration: "type",
    TSTypeAliasDeclaration: "type",
    ClassDeclaration: "class",
    TSDeclareFunction: "function",
    VariableDeclaration: "constant",
  });
  const kind = kinds[declaration.type];
  if (!kind) throw new Error(`${name} is a ${declaration.type}`);
  const own = { name, kind, doc: module.docBefore(node), type: "", optional: false };
  if (kind === "function") return [own];
  return [own, ...members(name, module, declaration.body ?? declaration.typeAnnotation ?? declaration)];
}

/**
 * The fields and methods in a part of a declaration, at any depth.
 *
 * @param {string} name
 * @param {Module} module
 * @param {Node} part
 * @returns {Documented[]}
 */
function members(name, module, part) {
  if (Array.isArray(part)) return part.flatMap((one) => members(name, module, one));
  if (part === null || typeof part !== "object") return [];
  const isMember = /^(TSPropertySignature|TSMethodSignature|PropertyDefinition|MethodDefinition)$/.test(part.type);
  if (!isMember) return Object.values(part).flatMap((value) => members(name, module, value));
  if (part.key.type === "PrivateIdentifier" || part.accessibility === "private") return [];
  const key = part.key.name ?? part.key.value;
  const isMethod = part.type.includes("Method");
  const type = part.typeAnnotation?.typeAnnotation;
  const doc = module.docBefore(part);
  if (/@internal/.test(doc)) return [];
  return [
    {
      name: `${name}.${key}`,
      kind: isMethod ? "method" : "field",
      doc,
      type: type ? module.text(type) : "",
      optional: part.optional === true,
    },
    ...members(`${name}.${key}`, module, type ?? null),
  ];
}

/**
 * The code of each `ts` block in a doc comment.
 *
 * @param {string} doc
 */
export function examplesIn(doc) {
  return [...doc.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
}
