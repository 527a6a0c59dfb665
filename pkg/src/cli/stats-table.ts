/**
 * A sync's stats for people.
 *
 * @module
 */

import { type Columns, type Counts, refsOf } from "../columns.js";
import { printable } from "./printable.js";

/** One line for each ref that is not as it was, then how many refs had each outcome. */
export function table(columns: Columns, counts: Counts): string {
  const rows = refsOf(columns, (outcome) => outcome !== "unchanged").map((ref) => {
    const why = [ref.reason, ref.message].filter(Boolean).join(": ");
    return [ref.outcome, short(ref.before), short(ref.after), why ? `${ref.name}  (${why})` : ref.name].map(printable);
  });
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return `${[...lines, summary(counts)].join("\n")}\n`;
}

function summary(counts: Counts): string {
  const each = Object.entries(counts).filter(([, count]) => count > 0);
  if (each.length === 0) return "no ref of the source matches";
  return each.map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

function short(oid: string | null | undefined): string {
  return oid && !/^0+$/.test(oid) ? oid.slice(0, 12) : "-";
}
