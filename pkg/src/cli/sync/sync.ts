/**
 * `refsync sync`: the engine between two remotes, without a service.
 *
 * @module
 */

import { type Counts, countsOf, notesOf, statsOf } from "../../engine/columns.js";
import { columnsOf } from "../../engine/run.js";
import type { SyncError } from "../../errors.js";
import { httpFetch } from "../../node/http/fetch.js";
import { printable } from "../../node/printable.js";
import type { Flags } from "../commands.js";
import { type ExitCode, exitCode } from "../exit-code.js";
import { remoteOf, UrlError } from "./credentials.js";
import { engineCode } from "./engine-code.js";
import { type Helped, helped } from "./helped.js";
import { interruption } from "./interruption.js";
import { progressLine } from "./progress-line.js";
import { table } from "./stats-table.js";
import { trap } from "./trap.js";
import { explained, unmatchedGlobs } from "./unmatched.js";

/** Runs one sync, prints the result, and returns the exit code. */
export async function sync(sourceUrl: string, destinationUrl: string, flags: Flags["sync"]): Promise<ExitCode> {
  let source: Helped;
  let destination: Helped;
  try {
    source = helped(remoteOf("source", sourceUrl, process.env));
    destination = helped(remoteOf("destination", destinationUrl, process.env));
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return exitCode.usage;
  }

  const progress = progressLine(process.stderr);
  const interrupted = interruption(() => {
    progress.clear();
    process.stderr.write(
      "stopping as soon as the destination has removed the received objects; press Ctrl-C again to leave at once\n",
    );
  });
  // The user names both addresses, so none is refused.
  const fetch = httpFetch();
  const trapped = trap();
  try {
    const { branches, tags, exclude, force, prune, atomic, pushOption, timeout } = flags;
    const { stallTimeout, minRate, maxRefs, maxCommits, maxMemory } = flags;
    const some = branches !== undefined || tags !== undefined;
    const ref_globs = { ...(branches !== undefined && { branches }), ...(tags !== undefined && { tags }) };
    const wasm = await engineCode;
    const options = {
      source: { ...source.remote, fetch: interrupted.source(fetch) },
      destination: destination.remote,
      ...(some && { ref_globs }),
      exclude,
      force,
      prune,
      atomic,
      signal: interrupted.leave,
      pushOptions: pushOption,
      timeout: timeout && timeout * 1000,
      stallTimeout: stallTimeout && stallTimeout * 1000,
      minRate,
      maxRefs,
      maxCommits,
      maxMemory: maxMemory && maxMemory * MIB,
      onProgress: progress.show,
      fetch,
      wasm,
    };
    const columns = await Promise.race([columnsOf(options, { planOnly: flags.plan }), trapped.happened]);
    progress.clear();
    const unmatched = unmatchedGlobs(notesOf(columns).unmatched, flags);
    for (const line of await explained(unmatched, options.source, wasm)) {
      process.stderr.write(`warning: ${line}\n`);
    }
    await Promise.all([source.settle(true), destination.settle(true)]);
    if (interrupted.isStopping) process.stderr.write("the interruption came too late: the sync was already done\n");
    const note = flags.plan ? "a plan: nothing was changed\n" : "";
    const counts = countsOf(columns);
    const stats = () => ({ ...statsOf(columns), ...(unmatched.length > 0 && { unmatched }) });
    process.stdout.write(flags.json ? `${JSON.stringify(stats())}\n` : table(columns, counts) + note);
    if (flags.failIfEmpty && (unmatched.length > 0 || isEmpty(counts))) return exitCode.unmatched;
    return counts.rejected > 0 ? exitCode.rejected : exitCode.completed;
  } catch (error) {
    progress.clear();
    const { code, message, refused } = described(error);
    if (refused !== undefined) await { source, destination }[refused].settle(false);
    if (flags.json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    process.stderr.write(`error: ${message}\n`);
    return code === "INVALID_REQUEST" ? exitCode.usage : exitCode.failed;
  } finally {
    fetch.close();
    trapped.release();
    interrupted.release();
  }
}

function isEmpty(counts: Counts): boolean {
  return Object.values(counts).every((count) => count === 0);
}

const MIB = 1 << 20;

/** An error's code and message, and the side that refused access, if one did. */
function described(error: unknown): { code: string; message: string; refused?: "source" | "destination" } {
  const { code, message, side } = error as { code?: unknown; message?: unknown; side?: SyncError["side"] };
  if (code === "aborted") {
    // The source's stream failed on purpose.
    const what = "interrupted: no ref was moved, and the destination has removed the received objects";
    return { code: "interrupted", message: what };
  }
  if (code === "ABORTED") {
    const doubt = "the destination may still be storing the objects that it received; --plan shows what is missing";
    return { code: "interrupted", message: `interrupted, and left at once: ${doubt}` };
  }
  const words = printable(typeof message === "string" ? message : String(error));
  if (code === "unauthorized" && side) {
    const name = `REFSYNC_${side.toUpperCase()}_TOKEN`;
    return { code, message: `${words}; give one in ${name}, or to Git's credential helper`, refused: side };
  }
  return { code: typeof code === "string" ? code : "failed", message: words };
}
