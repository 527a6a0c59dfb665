/**
 * What a caller says of a sync.
 *
 * @module
 */
import type { EngineFetch } from "../host.js";
import type { Progress, RemoteSettings } from "../wasm/engine/refsync.js";
import type { WasmSource } from "../wasm/load.js";

/** One side of a sync. */
export interface RemoteOptions extends RemoteSettings {
  /** The `fetch` for this remote; that of the sync when left out. */
  fetch?: EngineFetch | undefined;
  /**
   * Asked for credentials when the server wants some (401) that were not given, or refuses those that were: once in a
   * sync. Without an answer the sync fails with the code `unauthorized`.
   */
  credentials?: AskCredentials | undefined;
}

/**
 * Gives the credentials for a URL: a password or token, and the user name if the server needs it. `challenge.username` is the user
 * name that is known already, such as one in the URL.
 */
export type AskCredentials = (
  url: string,
  challenge: { scheme: string; realm: string | null; username?: string },
) => Credentials | undefined | Promise<Credentials | undefined>;

/** A password or token, and the user name where the server minds. */
export interface Credentials {
  /** The user name; `git` when left out. */
  username?: string | undefined;
  /** The password or token. */
  password: string;
}

/**
 * Globs of branches and tags by their short names, without `refs/heads/` and `refs/tags/`. If there are several globs, a ref must
 * match one of them. A kind that is left out is not synced.
 */
export interface SyncGlobs {
  /** Which branches take part, such as `"main"` or `["main", "release/*"]`. */
  branches?: string | readonly string[] | undefined;
  /** Which tags take part. */
  tags?: string | readonly string[] | undefined;
}

/** What to sync, and how. */
export interface SyncOptions {
  /** Where refs come from: a URL, which may hold credentials, or more. */
  source: string | RemoteOptions;
  /** Where refs go to. */
  destination: string | RemoteOptions;
  /** Which refs take part; all branches and tags when left out. */
  ref_globs?: SyncGlobs | undefined;
  /**
   * Move diverged refs too. What the destination had is kept under `refs/refsync/backup/<old id>/<name>` first, and a ref
   * that moved meanwhile stays. Off when left out.
   */
  force?: boolean | undefined;
  /**
   * Delete refs at the destination that match the globs and that the source lacks: at most this many, else nothing is
   * done and `SyncError` has the code `too_many_deletions`. None when left out.
   */
  prune?: number | undefined;
  /** Move all refs or none: one that is rejected holds back all others, as `atomic_push_failed`. Off when left out. */
  atomic?: boolean | undefined;
  /**
   * Globs of full ref names, such as `refs/heads/wip/*`: matching refs are `filtered`, even if `ref_globs` matches them. A short
   * name is refused, because it would exclude nothing.
   */
  exclude?: string[] | undefined;
  /** Words for the destination's hooks, as `git push --push-option` sends them. */
  pushOptions?: string[] | undefined;
  /**
   * How long the whole sync may take, in milliseconds; any time when left out. Then both requests are aborted, and it
   * rejects with a `SyncError` whose code is `timeout`.
   */
  timeout?: number | undefined;
  /** Cancels the sync: both requests are aborted, and it rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Sees how far the sync is, at most ten times a second. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** The `fetch` for both remotes; the runtime's own when left out. */
  fetch?: EngineFetch | undefined;
  /**
   * A relay to reach both remotes through, such as `http://127.0.0.1:8723`: for pages, which most Git hosts do not answer. It is
   * what `refsync proxy` or `refsync/proxy` serves; credentials pass through it. A remote with a `fetch` of its own is reached
   * without it. None when left out.
   */
  proxy?: string | undefined;
  /** How long a remote may be silent, in milliseconds; two minutes when left out. */
  stallTimeout?: number | undefined;
  /**
   * How slow a remote may be: at least `bytes` must come in `time` milliseconds, else the sync ends with the code `too_slow`. The
   * engine counts only the time that it waits for that remote, after the first byte of a list of refs or a pack. A whole list, the
   * time until a pack begins, and the time from a push to its report may each take an hour. The default is 1,000 bytes in 60,000
   * ms. With 0 bytes, any rate and any time is allowed.
   */
  minRate?: { bytes: number; time: number } | undefined;
  /**
   * The most refs that a remote may list; one million when left out. If a remote lists more, or if its list has more than `maxRefs`
   * times 128 bytes, the sync ends with the code `too_many_refs`.
   */
  maxRefs?: number | undefined;
  /**
   * The most new commits that are read to prove that branches move forward; four million when left out. If there are more, the refs
   * that need them are rejected with the code `too_many_commits`. Each commit takes up to 64 bytes of memory.
   */
  maxCommits?: number | undefined;
  /**
   * The most bytes of WebAssembly memory that the engine may have, which all syncs in one process share; 2 GiB when left out.
   * A sync that needs more ends with the code `out_of_memory`.
   */
  maxMemory?: number | undefined;
  /**
   * Whether `fetch` can send a stream; when left out, true everywhere but in browsers. Where it cannot, the pack is
   * collected in memory first, up to `collectLimit` bytes.
   */
  requestStreams?: boolean | undefined;
  /** The WebAssembly code of `refsync/engine.wasm`, or where it is, for bundlers that do not find it by themselves. */
  wasm?: WasmSource | undefined;
  /** The most bytes of a pack to collect; 256 MiB when left out. A larger one is an error. */
  collectLimit?: number | undefined;
}
