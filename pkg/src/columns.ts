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
  const width = ids.length / outcomes.length / 2;
  const none = "0".repeat(outcomes.length > 0 ? width : 0);
  const refs = Array.from({ length: outcomes.length }, (_, at): SyncRunRef => {
    const start = 2 * width * at;
    const before = ids.slice(start, start + width);
    return {
      name: name[at] as string,
      before: before === none ? null : before,
      after: ids.slice(start + width, start + 2 * width),
      outcome: outcomeOf[outcomes[at] as string] as Outcome,
      reason: null,
      message: null,
    };
  });
  for (const [at, reason, message] of JSON.parse(remarks) as [number, SyncRunRef["reason"], SyncRunRef["message"]][]) {
    Object.assign(refs[at] as SyncRunRef, { reason, message });
  }
  return { refs };
}
