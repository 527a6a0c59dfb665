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
 * @throws {@link SyncError} if the whole sync failed. A rejected ref is only an outcome.
 * @throws {@link InvalidRequestError} if an option is wrong or unknown.
 * @throws {@link AbortError} if `signal` aborted.
 * @example
 * ```ts
 * import { SyncError, sync } from "refsync/engine";
 *
 * try {
 *   const { refs } = await sync({
 *     source: "https://github.com/acme/app.git",
 *     destination: { url: "https://git.example.com/app.git", password: token },
 *     ref_globs: { branches: ["main", "release/*"], tags: "v*" },
 *   });
 *   for (const { name, outcome, reason } of refs) console.log(name, outcome, reason);
 * } catch (error) {
 *   if (!(error instanceof SyncError)) throw error;
 *   console.error(error.side, error.code, error.retryable); // "destination", "unauthorized", false
 * }
 * ```
 */
export async function sync(options: SyncOptions): Promise<SyncRunStats> {
  return statsOf(await columnsOf(options, { planOnly: false }));
}

/**
 * The stats that {@link sync} would have now if nothing moves meanwhile and nothing is refused. Changes nothing and sends no pack.
 *
 * @throws The same errors as {@link sync}.
 * @example
 * ```ts
 * import { plan } from "refsync/engine";
 *
 * const { refs } = await plan({ source: "https://github.com/acme/app.git", destination: "https://git.example.com/app.git" });
 * console.log(refs.filter(({ outcome }) => outcome === "updated").length, "refs would be updated");
 * ```
 */
export async function plan(options: SyncOptions): Promise<SyncRunStats> {
  return statsOf(await columnsOf(options, { planOnly: true }));
}
