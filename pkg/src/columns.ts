/**
 * A sync's stats from the columns in which they leave WebAssembly.
 *
 * @module
 */
import type { Outcome, SyncRunRef, SyncRunStats } from "./wasm/engine/refsync.js";

/** Names, ids, outcomes and remarks, as `wasm/engine/columns.rs` writes them. */
export type Columns = [names: string, ids: string, outcomes: string, remarks: string];

const outcomeOf: Record<string, Outcome> = { u: "updated", n: "unchanged", f: "filtered", r: "rejected" };

/** The stats, an object for each ref. */
export function statsOf([names, ids, outcomes, remarks]: Columns): SyncRunStats {
  const name = names.split("\n");
  const moved = outcomes.replace(/[a-z]+/g, "").length;
  const width = ids.length / (outcomes.length + moved || 1);
  const none = "0".repeat(width);
  let end = 0;
  const id = () => {
    end += width;
    return ids.slice(end - width, end);
  };
  const refs = Array.from({ length: outcomes.length }, (_, at): SyncRunRef => {
    const letter = outcomes[at] as string;
    const outcome = outcomeOf[letter.toLowerCase()] as Outcome;
    const before = id();
    const after = letter in outcomeOf ? before : id();
    return {
      name: name[at] as string,
      before: before === none ? null : before,
      after,
      outcome,
      reason: null,
      message: null,
    };
  });
  for (const [at, reason, message] of JSON.parse(remarks) as [number, SyncRunRef["reason"], SyncRunRef["message"]][]) {
    Object.assign(refs[at] as SyncRunRef, { reason, message });
  }
  return { refs };
}
