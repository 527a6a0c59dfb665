/**
 * The options of a sync.
 *
 * @module
 */
import type { EngineFetch } from "../host.js";
import type { Progress, RemoteSettings } from "../wasm/engine/refsync.js";
import type { WasmSource } from "../wasm/load.js";

/** One side of a sync. */
export interface RemoteOptions extends RemoteSettings {
  /** The `fetch` for this remote. Default: that of the sync. */
  fetch?: EngineFetch | undefined;
  /**
   * Called if the server wants credentials (401) and none were given, or if it refuses the given ones; at most once in a sync. Without
   * an answer the sync fails with the code `unauthorized`.
   */
  credentials?: AskCredentials | undefined;
}

/**
 * Gives the credentials for a URL: a password or token, and the user name if the server needs it. Of `challenge`, `scheme` is the
 * server's, such as `Basic`; `realm` is its name for the protected area, or null; and `username` is the user name if it is known already,
 * for example from the URL.
 */
export type AskCredentials = (
  url: string,
  challenge: { scheme: string; realm: string | null; username?: string },
) => Credentials | undefined | Promise<Credentials | undefined>;

/** A password or token, and the user name if the server needs a particular one. */
export interface Credentials {
  /** The user name. Default: `git`. */
  username?: string | undefined;
  /** The password or token. */
  password: string;
}

/**
 * Globs of branches and tags by their short names, without `refs/heads/` and `refs/tags/`. If there are several globs, a ref must
 * match one of them. A kind that is left out is not synced.
 */
export interface SyncGlobs {
  /** The globs of branches, such as `"main"` or `["main", "release/*"]`. If left out, no branch is synced. */
  branches?: string | readonly string[] | undefined;
  /** The globs of tags, such as `"v*"`. If left out, no tag is synced. */
  tags?: string | readonly string[] | undefined;
}

/** What to sync, and how. */
export interface SyncOptions {
  /** The source of the refs: a URL, which may contain credentials, or an object. */
  source: string | RemoteOptions;
  /** The destination of the refs. */
  destination: string | RemoteOptions;
  /** The globs that select refs. Default: all branches and tags. */
  ref_globs?: SyncGlobs | undefined;
  /**
   * Move diverged refs too. The destination's old commit is kept first, under `refs/refsync/backup/<old id>/`. A ref that
   * somebody else moved meanwhile is not moved. Default: off.
   */
  force?: boolean | undefined;
  /**
   * Delete refs at the destination that match the globs and that the source does not have, at most this many. If there are more,
   * nothing is done, and the `SyncError` has the code `too_many_deletions`. Default: none.
   */
  prune?: number | undefined;
  /** Move all refs or none: a rejected ref holds back all others, as `atomic_push_failed`. Default: off. */
  atomic?: boolean | undefined;
  /**
   * Globs of full ref names, such as `refs/heads/wip/*`: matching refs are `filtered`, even if `ref_globs` matches them. A short
   * name is refused, because it would exclude nothing. Default: none.
   */
  exclude?: string[] | undefined;
  /** Push options for the destination's hooks, as `git push --push-option` sends them. Default: none. */
  pushOptions?: string[] | undefined;
  /**
   * How long the whole sync may take, in milliseconds. After that, both requests are aborted, and the sync rejects with a `SyncError`
   * of the code `timeout`. Default: no limit.
   */
  timeout?: number | undefined;
  /** Cancels the sync: both requests are aborted, and the sync rejects with an `AbortError`. Default: nothing cancels it. */
  signal?: AbortSignal | undefined;
  /** Called with the progress, at most ten times a second. Default: nobody is told. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** The `fetch` for both remotes. Default: the runtime's own. */
  fetch?: EngineFetch | undefined;
  /**
   * A relay for both remotes, such as `http://127.0.0.1:8723`. Pages need it, because most Git hosts do not answer them. `refsync
   * proxy` or `refsync/proxy` serves one. Credentials pass through it. A remote with its own `fetch` does not use it. Default: none.
   */
  proxy?: string | undefined;
  /** How long a remote may be silent, in milliseconds. Default: two minutes. */
  stallTimeout?: number | undefined;
  /**
   * How slow a remote may be: at least `bytes` must come in `time` milliseconds, else the sync ends with the code `too_slow`. The
   * engine counts only the time that it waits for that remote, after the first byte of a list of refs or a pack. A whole list, the
   * time until a pack begins, and the time from a push to its report may each take an hour. Default: 1,000 bytes in 60,000
   * ms. With 0 bytes, any rate and any time is allowed.
   */
  minRate?: { bytes: number; time: number } | undefined;
  /**
   * The most refs that a remote may list. Default: one million. If a remote lists more, or if its list has more than `maxRefs` times
   * 128 bytes, the sync ends with the code `too_many_refs`.
   */
  maxRefs?: number | undefined;
  /**
   * The most new commits that are read to prove that branches move forward. Default: four million. If there are more, the refs that
   * need them are rejected with the code `too_many_commits`. Each commit takes up to 64 bytes of memory.
   */
  maxCommits?: number | undefined;
  /**
   * The most bytes of WebAssembly memory that the engine may have. All syncs in one process share it. Default: 2 GiB. A sync that needs
   * more ends with the code `out_of_memory`.
   */
  maxMemory?: number | undefined;
  /**
   * Whether `fetch` can send a stream. If it cannot, the pack is collected in memory first, up to `collectLimit` bytes. Default: true,
   * except in browsers.
   */
  requestStreams?: boolean | undefined;
  /**
   * The WebAssembly code of `refsync/engine.wasm`, or its address, for bundlers that do not find it by themselves. Default: the package's
   * own file.
   */
  wasm?: WasmSource | undefined;
  /** The most bytes of a pack to collect. A larger pack is an error. Default: 256 MiB. */
  collectLimit?: number | undefined;
}
