/**
 * Makes a sync's stats from the columns that WebAssembly returns.
 *
 * @module
 */
import type { Outcome, SyncRunMessage, SyncRunRef, SyncRunStats } from "../wasm/engine/refsync.js";

/** Names, ids, outcomes, remarks, messages and notes, as `wasm/engine/columns.rs` writes them. */
export type Columns = [names: string, ids: string, outcomes: string, remarks: string, messages: string, notes: string];

/** Notes about the whole sync. */
export interface Notes {
  /** The branch that the source's `HEAD` names, by its full name. */
  head: string | null;
  /** The globs that match no ref of the source. */
  unmatched: Unmatched;
}

/** Globs, by their kind. */
export interface Unmatched {
  branches: string[];
  tags: string[];
}

/** The notes. */
export function notesOf([, , , , , notes]: Columns): Notes {
  return JSON.parse(notes);
}

const outcomeOf: Record<string, Outcome> = { u: "updated", n: "unchanged", f: "filtered", r: "rejected" };

/** The stats, with an object for each ref. */
export function statsOf(columns: Columns): SyncRunStats {
  const messages = messagesOf(columns);
  return { refs: refsOf(columns, () => true), ...(messages.length > 0 && { messages }) };
}

/** The remotes' messages. */
export function messagesOf([, , , , messages]: Columns): SyncRunMessage[] {
  return JSON.parse(messages);
}

/** How many refs had each outcome. */
export type Counts = Record<Outcome, number>;

/** Counts them. */
export function countsOf([, , outcomes]: Columns): Counts {
  const counts = { updated: 0, unchanged: 0, filtered: 0, rejected: 0 };
  for (const letter of outcomes) counts[outcomeFrom(letter)] += 1;
  return counts;
}

/** An object for each ref whose outcome is wanted. */
export function refsOf(
  [names, ids, outcomes, remarks]: Columns,
  isWanted: (outcome: Outcome) => boolean,
): SyncRunRef[] {
  const moved = outcomes.replace(/[a-z]+/g, "").length;
  const width = ids.length / (outcomes.length + moved || 1);
  const none = "0".repeat(width);
  const remarkOf = new Map((JSON.parse(remarks) as Remark[]).map((remark) => [remark[0], remark]));
  // Split only when the first ref is needed: mostly, all of 100,000 refs are unchanged.
  let name: string[] | undefined;
  const refs: SyncRunRef[] = [];
  let end = 0;
  for (let at = 0; at < outcomes.length; at += 1) {
    const letter = outcomes[at] as string;
    const start = end;
    end += letter in outcomeOf ? width : 2 * width;
    const outcome = outcomeFrom(letter);
    if (!isWanted(outcome)) continue;
    name ??= names.split("\n");
    const before = ids.slice(start, start + width);
    const [, reason = null, message = null, messageIndex, backup, source, ahead, behind] = remarkOf.get(at) ?? [];
    refs.push({
      name: name[at] as string,
      before: before === none ? null : before,
      after: letter in outcomeOf ? before : ids.slice(end - width, end),
      outcome,
      reason,
      message,
      ...(messageIndex != null && { message_index: messageIndex }),
      ...(backup != null && { backup }),
      ...(source != null && { source }),
      ...(ahead != null && { ahead }),
      ...(behind != null && { behind }),
    });
  }
  return refs;
}

type Remark = [
  at: number,
  reason: SyncRunRef["reason"],
  message: SyncRunRef["message"],
  messageIndex: number | null,
  backup: string | null,
  source: string | null,
  ahead: number | null,
  behind: number | null,
];

function outcomeFrom(letter: string): Outcome {
  return outcomeOf[letter.toLowerCase()] as Outcome;
}
