/**
 * A sync, or its plan, with the stats as objects.
 *
 * @module
 */
import type { SyncRunStats } from "../wasm/engine/refsync.js";
import { statsOf } from "./columns.js";
import type { SyncOptions } from "./options.js";
import { columnsOf } from "./run.js";

/**
 * Syncs refs from the source to the destination. Branches and tags are created and fast-forwarded. They are forced only with `force`,
 * and deleted only with `prune`. The stats have the result of each ref.
 *
 * Rejects with a {@link SyncError} if the whole sync failed; a rejected ref is only an outcome. A wrong or unknown option rejects
 * with an {@link InvalidRequestError}.
 */
export async function sync(options: SyncOptions): Promise<SyncRunStats> {
  return statsOf(await columnsOf(options, { planOnly: false }));
}

/**
 * The stats that {@link sync} would have now if nothing moves meanwhile and nothing is refused. Changes nothing and sends no pack.
 */
export async function plan(options: SyncOptions): Promise<SyncRunStats> {
  return statsOf(await columnsOf(options, { planOnly: true }));
}
