/**
 * A sync's stats for people.
 *
 * @module
 */

import type { SyncRunStats } from "../engine.js";
import { printable } from "./printable.js";

/** One line for each ref that is not as it was, then how many refs had each outcome. */
export function table({ refs }: SyncRunStats): string {
  const rows = refs
    .filter((ref) => ref.outcome !== "unchanged")
    .map((ref) => {
      const why = [ref.reason, ref.message].filter(Boolean).join(": ");
      return [ref.outcome, short(ref.before), short(ref.after), why ? `${ref.name}  (${why})` : ref.name].map(
        printable,
      );
    });
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return `${[...lines, counts(refs)].join("\n")}\n`;
}

function counts(refs: SyncRunStats["refs"]): string {
  if (refs.length === 0) return "no ref of the source matches";
  const outcomes = ["updated", "unchanged", "filtered", "rejected"] as const;
  const each = outcomes.map((outcome) => [outcome, refs.filter((ref) => ref.outcome === outcome).length] as const);
  return each
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ");
}

function short(oid: string | null | undefined): string {
  return oid && !/^0+$/.test(oid) ? oid.slice(0, 12) : "-";
}
