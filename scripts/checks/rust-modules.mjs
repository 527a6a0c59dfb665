// Finds the uses between Rust modules, by the paths in a crate's files. Used by `circles.mjs`.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A module that is a file. Its name is the path of the module in the crate, such as `git::push`, and `""` for the crate.
 *
 * @typedef {{ name: string, file: string, inline: Span[], imports: Import[], paths: Found[], words: Set<string> }} Module
 * @typedef {{ name: string, from: number, to: number }} Span A module inside a file, and the place of its block.
 * @typedef {{ path: string[], alias: string }} Import A name that `use` brings in, from the crate's root. `*` is all names.
 * @typedef {{ path: string[], at: number }} Found A path, and its place in the text.
 * @typedef {{ from: Module, to: Module, path: string }} Use One module names an item of another one.
 */

/**
 * Every use of one module by another in the crate whose `lib.rs` is in `folder`. A path that goes through a re-export counts for the
 * module that defines the item. Only names count: a method call on a value names no module.
 *
 * @param {string} folder
 * @returns {{ modules: Module[], uses: Use[] }}
 */
export function usesIn(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".rs"));
  const names = new Set(files.map(nameOf));
  const modules = new Map(files.sort().map((file) => [nameOf(file), moduleOf(folder, file, names)]));
  /** @type {Use[]} */
  const uses = [];
  for (const module of modules.values()) {
    const seen = new Set([module]);
    for (const path of pathsOf(module, modules)) {
      const to = definer(path, modules);
      if (to === undefined || seen.has(to)) continue;
      seen.add(to);
      uses.push({ from: module, to, path: path.join("::") });
    }
  }
  return { modules: [...modules.values()], uses };
}

/** @param {string} file */
function nameOf(file) {
  const parts = file.replace(/\.rs$/, "").split(/[\\/]/);
  if (/^(mod|lib)$/.test(parts.at(-1) ?? "")) parts.pop();
  return parts.join("::");
}

/**
 * @param {string} folder
 * @param {string} file
 * @param {Set<string>} names All modules that are files.
 * @returns {Module}
 */
function moduleOf(folder, file, names) {
  const code = withoutProse(readFileSync(join(folder, file), "utf8"));
  const name = nameOf(file);
  const inline = inlineModules(code);
  /** @type {Import[]} */
  const imports = [];
  const rest = code.replace(/\buse\s+([^;]+);/g, (whole, tree, at) => {
    for (const { path, alias } of leaves(tree.replace(/\s+/g, " ").trim())) {
      const own = scope(name, inline, at);
      const isChild = names.has([...own, path[0]].join("::"));
      imports.push({ path: isChild ? [...own, ...path] : absolute(path, own), alias });
    }
    return " ".repeat(whole.length);
  });
  const found = [...rest.matchAll(/(?<![\w:$])(?:r#)?([a-zA-Z_]\w*(?:\s*::\s*[a-zA-Z_]\w*)+)/g)];
  const paths = found.map(({ 1: path, index }) => ({ path: `${path}`.split(/\s*::\s*/), at: index }));
  return { name, file: join(folder, file), inline, imports, paths, words: new Set(rest.match(/\b[a-zA-Z_]\w*\b/g)) };
}

/**
 * The paths that a module names, from the crate's root.
 *
 * @param {Module} module
 * @param {Map<string, Module>} modules
 * @returns {string[][]}
 */
function pathsOf({ name, inline, imports, paths, words }, modules) {
  const globs = imports.filter(({ alias }) => alias === "*");
  const named = imports.filter(({ alias }) => alias !== "*");
  const all = named.map(({ path }) => path);
  for (const { path } of globs) {
    // Names that the glob may import.
    const exported = modules.get(path.join("::"))?.imports ?? [];
    all.push(path, ...exported.filter(({ alias }) => words.has(alias)).map((one) => one.path));
  }
  for (const { path, at } of paths) {
    const own = scope(name, inline, at);
    const [first = "", ...rest] = path;
    if (/^(crate|self|super)$/.test(first)) all.push(absolute(path, own));
    else if (modules.has([...own, first].join("::"))) all.push([...own, ...path]);
    else for (const { path: start, alias } of named) if (alias === first) all.push([...start, ...rest]);
  }
  return all;
}

/**
 * The module that defines the item of a path; undefined for an item of another crate.
 *
 * @param {string[]} path
 * @param {Map<string, Module>} modules
 * @param {Set<string>} [seen] Paths that are being looked up: names may be re-exported in a ring.
 * @returns {Module | undefined}
 */
function definer(path, modules, seen = new Set()) {
  const key = path.join("::");
  if (path[0] === OUTSIDE || seen.has(key)) return undefined;
  seen.add(key);
  let here = modules.get("");
  let name = "";
  for (const [at, part] of path.entries()) {
    const inner = name === "" ? part : `${name}::${part}`;
    // A module that is declared inside a file has no file of its own, but its children have files.
    if (modules.has(inner) || [...modules.keys()].some((other) => other.startsWith(`${inner}::`))) {
      here = modules.get(inner) ?? here;
      name = inner;
      continue;
    }
    const exported = here?.imports.find(({ alias }) => alias === part);
    return (exported && definer([...exported.path, ...path.slice(at + 1)], modules, seen)) ?? here;
  }
  return here;
}

/** The first part of a path that starts with another crate's name. */
const OUTSIDE = "(another crate)";

/**
 * The module that contains a place in a file.
 *
 * @param {string} name
 * @param {Span[]} inline
 * @param {number} at
 */
function scope(name, inline, at) {
  const outer = name === "" ? [] : name.split("::");
  return [...outer, ...inline.filter(({ from, to }) => from < at && at < to).map((span) => span.name)];
}

/**
 * A path from the crate's root.
 *
 * @param {string[]} path
 * @param {string[]} from The module that names it.
 */
function absolute(path, from) {
  const base = [...from];
  let at = 0;
  if (path[0] === "crate") {
    base.length = 0;
    at = 1;
  } else if (path[0] === "self") at = 1;
  else if (path[0] !== "super") return [OUTSIDE, ...path];
  for (; path[at] === "super"; at += 1) base.pop();
  return [...base, ...path.slice(at)];
}

/**
 * The paths of a `use`: `a::{b, c as d}` has `a::b` and `a::c`.
 *
 * @param {string} tree
 * @param {string[]} before
 * @returns {Import[]}
 */
function leaves(tree, before = []) {
  const open = tree.indexOf("{");
  if (open < 0) {
    const [path = "", alias] = tree.split(" as ");
    const parts = [...before, ...path.split("::").map((part) => part.trim())].filter(Boolean);
    if (parts.at(-1) === "self" && parts.length > 1) parts.pop();
    if (parts.at(-1) === "*") return [{ path: parts.slice(0, -1), alias: "*" }];
    return [{ path: parts, alias: alias?.trim() ?? parts.at(-1) ?? "" }];
  }
  const start = [...before, ...tree.slice(0, open).split("::")].map((part) => part.trim()).filter(Boolean);
  return branches(tree.slice(open + 1, tree.lastIndexOf("}"))).flatMap((branch) => leaves(branch, start));
}

/** @param {string} list */
function branches(list) {
  const parts = [""];
  let depth = 0;
  for (const letter of list) {
    if (letter === "{") depth += 1;
    if (letter === "}") depth -= 1;
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/**
 * @param {string} code
 * @returns {Span[]}
 */
function inlineModules(code) {
  return [...code.matchAll(/\bmod\s+(\w+)\s*\{/g)].map(({ 0: head, 1: name = "", index }) => {
    let to = index + head.length;
    for (let depth = 1; depth > 0 && to < code.length; to += 1) {
      if (code[to] === "{") depth += 1;
      if (code[to] === "}") depth -= 1;
    }
    return { name, from: index, to };
  });
}

/**
 * The code with comments and texts replaced by blanks, so that places stay the same.
 *
 * @param {string} source
 */
function withoutProse(source) {
  const prose = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|b?r(#*)"[\s\S]*?"\1|b?"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\[^\n]+?|[^\\'\n])'/g;
  return source.replace(prose, (text) => text.replace(/[^\n]/g, " "));
}
