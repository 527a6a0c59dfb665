/**
 * `refsync sync`: the engine alone, between two remotes.
 *
 * @module
 */

import { plan, sync as run } from "../engine.js";
import { httpFetch } from "../node/http-fetch.js";
import { type Remote, remoteOf, UrlError } from "./credentials.js";
import { engineCode } from "./engine-code.js";
import { type ExitCode, exitCode } from "./exit-code.js";
import { printable } from "./printable.js";
import { progressLine } from "./progress-line.js";
import { table } from "./stats-table.js";

/** What the command line said. */
export interface SyncFlags {
  branches?: string;
  tags?: string;
  exclude?: string[];
  force: boolean;
  prune?: number;
  atomic: boolean;
  pushOption: string[];
  timeout?: number;
  plan: boolean;
  json: boolean;
}

/** Runs one sync, prints how it went, and gives the exit code. */
export async function sync(sourceUrl: string, destinationUrl: string, flags: SyncFlags): Promise<ExitCode> {
  let source: Remote;
  let destination: Remote;
  try {
    source = remoteOf("source", sourceUrl, process.env);
    destination = remoteOf("destination", destinationUrl, process.env);
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return exitCode.usage;
  }

  const stop = new AbortController();
  const interrupt = () => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const progress = progressLine(process.stderr);
  // The user names both addresses, so none is refused.
  const fetch = httpFetch();
  try {
    const { branches, tags, exclude, force, prune, atomic, pushOption, timeout } = flags;
    const some = branches !== undefined || tags !== undefined;
    const ref_globs = { ...(branches !== undefined && { branches }), ...(tags !== undefined && { tags }) };
    const stats = await (flags.plan ? plan : run)({
      source,
      destination,
      ...(some && { ref_globs }),
      exclude,
      force,
      prune,
      atomic,
      pushOptions: pushOption,
      timeout: timeout && timeout * 1000,
      signal: stop.signal,
      onProgress: progress.show,
      fetch,
      wasm: await engineCode,
    });
    progress.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(stats)}\n` : table(stats));
    return stats.refs.some((ref) => ref.outcome === "rejected") ? exitCode.rejected : exitCode.completed;
  } catch (error) {
    progress.clear();
    const { code, message } = described(error);
    if (flags.json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    process.stderr.write(`error: ${message}\n`);
    return code === "INVALID_REQUEST" ? exitCode.usage : exitCode.failed;
  } finally {
    fetch.close();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function described(error: unknown): { code: string; message: string } {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    code: typeof code === "string" ? code : "failed",
    message: printable(typeof message === "string" ? message : String(error)),
  };
}
