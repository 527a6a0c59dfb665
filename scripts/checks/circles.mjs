// Finds circles between the Rust modules of `src`: `node scripts/checks/circles.mjs [folder of lib.rs]`. Biome finds
// circles in TypeScript (`noImportCycles`).
//
// The rule: the children of one folder, which are files and folders, use each other in one direction only. A folder counts
// as a whole. So two folders of `src/service` must not use each other, and two files of one folder must not either. A
// parent (`mod.rs`) and its children may use each other, which is Rust's usual form. A name that a parent re-exports
// belongs to the module that defines it.
import { join, relative } from "node:path";

import { isMain, main, root, StepError } from "../command.mjs";
import { usesIn } from "./rust-modules.mjs";

/** @typedef {import("./rust-modules.mjs").Use} Use */
/** @typedef {{ folder: string, children: string[], uses: Use[] }} Circle Children of a folder, and one use from each to the next. */

/**
 * The circles of the crate in `folder`. For each child in a circle, this is its shortest one.
 *
 * @param {string} folder
 * @returns {Circle[]}
 */
export function circles(folder) {
  const { modules, uses } = usesIn(folder);
  const parents = new Set(modules.flatMap(({ name }) => ancestors(name)));
  return [...parents].sort().flatMap((parent) => circlesOf(parent, uses));
}

/**
 * @param {string} parent
 * @param {Use[]} uses
 * @returns {Circle[]}
 */
function circlesOf(parent, uses) {
  /** @type {Map<string, Map<string, Use>>} */
  const graph = new Map();
  for (const use of uses) {
    const [from, to] = [childOf(parent, use.from.name), childOf(parent, use.to.name)];
    if (from === undefined || to === undefined || from === to) continue;
    const targets = graph.get(from) ?? new Map();
    graph.set(from, targets);
    if (!targets.has(to)) targets.set(to, use);
  }
  /** @type {Circle[]} */
  const found = [];
  const told = new Set();
  for (const child of [...graph.keys()].sort()) {
    const children = told.has(child) ? undefined : shortest(graph, child);
    if (children === undefined) continue;
    for (const one of children) told.add(one);
    const steps = children.map((from, at) => graph.get(from)?.get(children[(at + 1) % children.length] ?? ""));
    found.push({ folder: parent, children, uses: steps.filter((use) => use !== undefined) });
  }
  return found;
}

/**
 * The shortest way from `start` back to it; undefined if there is none.
 *
 * @param {Map<string, Map<string, Use>>} graph
 * @param {string} start
 */
function shortest(graph, start) {
  const ways = [[start]];
  const seen = new Set();
  for (const way of ways) {
    for (const next of graph.get(way.at(-1) ?? "")?.keys() ?? []) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

/** @param {string} name */
function ancestors(name) {
  const parts = name.split("::");
  return parts.map((_, at) => parts.slice(0, at).join("::"));
}

/**
 * The child of `parent` that is this module or contains it; undefined for the parent itself and for modules elsewhere.
 *
 * @param {string} parent
 * @param {string} name
 */
function childOf(parent, name) {
  const start = parent === "" ? "" : `${parent}::`;
  return name !== parent && name.startsWith(start) ? name.slice(start.length).split("::")[0] : undefined;
}

/** @param {Circle} circle */
function described({ folder, children, uses }) {
  const place = folder === "" ? "the crate" : folder;
  const lines = uses.map(({ from, path }) => `    ${relative(root, from.file)} names ${path}`);
  return [`  in ${place}: ${[...children, children[0]].join(" -> ")}`, ...lines].join("\n");
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const found = circles(process.argv[2] ?? join(root, "src"));
    if (found.length === 0) return;
    const rule =
      "Files and folders of one folder must not use each other in a circle; move what both use into one of them, or below";
    throw new StepError(`${found.length} circles of modules:\n${found.map(described).join("\n")}\n${rule}.`);
  });
}
