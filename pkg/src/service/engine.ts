/**
 * The engine as the service uses it, in the service's own thread. It is loaded when the first sync, or the first request for a
 * repository's refs, needs it. `refsync/node` has an engine in separate threads.
 *
 * @module
 */
import { notesOf, statsOf } from "../engine/columns.js";
import type { Fetch, GitHost } from "../host.js";
import type { RefGlobs, RemoteSettings, SyncRunStats, SyncSettings } from "../wasm/engine/refsync.js";
import type { WasmSource } from "../wasm/load.js";
import { backups } from "./backups.js";

/** Carries out the service's tasks; see `service/engine.rs`. Only JSON texts cross this interface. */
export interface ServiceEngine {
  /**
   * Syncs, or finds out what a sync would do, and returns its stats and notes.
   *
   * @throws `SyncError`, or any error that has its `code`, `retryable` and `side`.
   */
  sync(task: string, report: (progress: string) => void, signal: AbortSignal): Promise<string>;
  /** A ref by its full name, as a `RemoteRef`; undefined if there is no such ref. */
  findRef(remote: string, refName: string): Promise<string | undefined>;
  /**
   * Lists, restores or removes the backups of a repository. `request` is a `BackupRequest`. Without this method, the service cannot do
   * that.
   */
  backups?(remote: string, request: string): Promise<string>;
}

/** `Synced` of `service/engine.rs`. */
interface Synced {
  stats: SyncRunStats;
  head: string | null;
}

/** `Task` of `service/engine.rs`. */
interface Task {
  source: Remote;
  destination: Remote;
  ref_globs: RefGlobs;
  plan_only: boolean;
  /** A {@link Policy} as JSON. Without it, refs only move forward. */
  policy?: string;
}

/** What a sync may do besides fast-forwards: the SQL function `task_policy` makes it. */
type Policy = Pick<SyncSettings, "force" | "prune" | "atomic" | "exclude" | "hold">;

/** `Remote` of `service/engine.rs`. */
interface Remote extends RemoteSettings {
  is_hosted: boolean;
}

/** An engine between the repositories of `git` and those that `fetch` reaches. */
export function serviceEngine(
  git: Pick<GitHost, "fetch">,
  fetch: Fetch,
  wasm: WasmSource | undefined,
): Required<ServiceEngine> {
  const side = ({ is_hosted, ...settings }: Remote) => ({
    ...settings,
    fetch: is_hosted ? (input: string, init?: RequestInit) => git.fetch(new Request(input, init)) : fetch,
  });
  return {
    async sync(task, report, signal) {
      const { columnsOf } = await import("../engine/run.js");
      const { source, destination, ref_globs, plan_only, policy: asked }: Task = JSON.parse(task);
      const onProgress = (progress: unknown) => report(JSON.stringify(progress));
      const sides = { source: side(source), destination: side(destination) };
      // A service does not run in a page, so its runtime can stream a request.
      const { hold, ...others }: Policy = asked === undefined ? {} : JSON.parse(asked);
      const options = { ...sides, ref_globs, ...others, onProgress, signal, requestStreams: true, wasm };
      const policy = { keep_deleted: true, ...(hold !== undefined && { hold }) };
      const columns = await columnsOf(options, { planOnly: plan_only, policy });
      const synced: Synced = { stats: statsOf(columns), head: notesOf(columns).head };
      return JSON.stringify(synced);
    },
    async findRef(remote, refName) {
      const { remoteRefs } = await import("../engine/run.js");
      const [found] = await remoteRefs(side(JSON.parse(remote)), { name: refName }, wasm);
      return found && JSON.stringify(found);
    },
    async backups(remote, request) {
      const { movedRefs, remoteRefs } = await import("../engine/run.js");
      const settings = side(JSON.parse(remote));
      const answer = await backups(JSON.parse(request), {
        list: (prefix) => remoteRefs(settings, { prefix }, wasm),
        // A push without commands is none.
        move: async (lines) => (lines.length === 0 ? undefined : movedRefs(settings, lines.join("\n"), wasm)),
      });
      return JSON.stringify(answer);
    },
  };
}
