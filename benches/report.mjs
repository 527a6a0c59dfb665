// Writes the results as Markdown, and as a picture, into the documents.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

import { names } from "./contestants.mjs";
import { catchUpTable, limitsTable } from "./limits.mjs";
import { paths, picture } from "./picture.mjs";

/** @import { CatchUp, Result, Row, Shape } from "./types.mjs" */

/**
 * All results: the limits, then the costs of each contestant.
 *
 * @param {Result[]} results
 * @param {CatchUp[]} catchUps
 * @param {number} rounds
 */
export function report(results, catchUps, rounds) {
  const git = execFileSync("git", ["--version"], { encoding: "utf8" }).trim().replace("git version", "Git");
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, Node ${process.versions.node}, ${git}`;
  const day = new Date().toISOString().slice(0, 10);
  const parts = [
    `Medians of ${rounds} rounds (isomorphic-git: one); a ratio is the median of the rounds' ratios. ${day}, ${machine}.`,
    ...(results.length > 0 ? [limitsTable(results)] : []),
    ...(catchUps.length > 0 ? [catchUpTable(catchUps)] : []),
    ...results.map((result) => `**${title(result)}**\n\n${costs(result.table)}`),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** @param {Shape} shape */
function title({ name, refCount, packBytes }) {
  return `${name}: ${(packBytes / 1e6).toFixed(0)} MB pack, ${refCount.toLocaleString("en")} refs`;
}

/** @param {Row[]} table */
function costs(table) {
  const head = ["work", "who", "wall s", "after start-up s", "CPU s", "peak MB", "from source MB", "to destination MB"];
  const rows = table.map(({ work, who, wall, afterStart, cpu, memory, fromSource, toDestination }) => [
    work.name,
    names[who],
    ...[wall, afterStart, cpu].map((seconds) => seconds.toFixed(2)),
    memory.toFixed(0),
    ...[fromSource, toDestination].map((bytes) => (bytes / 1e6).toFixed(2)),
  ]);
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * Replaces the tables on the page about performance, and its picture.
 *
 * @param {string} text
 */
export function writePage(text) {
  const [start, end] = ["<!-- bench -->", "<!-- /bench -->"];
  const page = readFileSync(paths.page, "utf8");
  const [head, tail] = [page.indexOf(start), page.indexOf(end)];
  if (head < 0 || tail < head) throw new Error(`${paths.page} has no place for the tables: ${start} … ${end}`);
  writeFileSync(paths.page, `${page.slice(0, head + start.length)}\n\n${text}\n${page.slice(tail)}`);
  writeFileSync(paths.picture, picture(text));
}
