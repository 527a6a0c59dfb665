/**
 * A sync's stats for people.
 *
 * @module
 */

import { type Columns, type Counts, messagesOf, refsOf } from "../../engine/columns.js";
import type { SyncRunMessage, SyncRunRef } from "../../engine.js";
import { printable } from "../../node/printable.js";

/** One line for each ref that changed or was rejected, then the remotes' messages, then the number of refs for each outcome. */
export function table(columns: Columns, counts: Counts): string {
  const refs = refsOf(columns, (outcome) => outcome !== "unchanged");
  const rows = refs.map((ref) => {
    const why = [ref.reason, ref.message].filter(Boolean).join(": ");
    return [ref.outcome, short(ref.before), short(ref.after), why ? `${ref.name}  (${why})` : ref.name].map(printable);
  });
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  const said = messagesOf(columns).map((message, index) => quotation(message, index, refs));
  return `${[...lines, ...said, summary(counts)].join("\n")}\n`;
}

/** A message, under a line that names its side and its refs. */
function quotation({ side, text }: SyncRunMessage, index: number, refs: SyncRunRef[]): string {
  const names = refs.filter((ref) => ref.message_index === index).map(({ name }) => name);
  const [first] = names;
  const about = first === undefined ? "" : names.length === 1 ? ` about ${first}` : ` about ${names.length} refs`;
  const lines = text.split("\n").map((line) => `  ${line}`);
  const who = side === "refsync" ? "note" : `the ${side} said`;
  return [`${who}${about}:`, ...lines].map(printable).join("\n");
}

function summary(counts: Counts): string {
  const each = Object.entries(counts).filter(([, count]) => count > 0);
  if (each.length === 0) return "no ref of the source matches";
  return each.map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

function short(oid: string | null | undefined): string {
  return oid && !/^0+$/.test(oid) ? oid.slice(0, 12) : "-";
}
