/**
 * Runs as the types of their states, over the shapes that are generated from Rust: whoever has asked for the `status`
 * need not ask for the nulls.
 *
 * @module
 */
import type {
  Repo as AnyRepo,
  SyncRun as AnyRun,
  Upstream as AnyUpstream,
  Progress,
  SyncRunStats,
} from "../wasm/client/refsync.js";

/** A run in some states, of which more is known than of any run. */
type RunIn<Status extends AnyRun["status"], Known extends Partial<AnyRun>> = Omit<AnyRun, "status" | keyof Known> & {
  /** Where the run is in its life. */
  status: Status;
} & Known;

/** A run that waits for a worker, also between two attempts. */
export type QueuedRun = RunIn<
  "queued",
  {
    /** Null until the run has ended. */
    stats: null;
    /** Null until the run has ended. */
    finished_at: null;
  }
>;

/** A run that a worker runs. */
export type RunningRun = RunIn<
  "in_progress",
  {
    /** Null until the run has ended. */
    stats: null;
    /** When its current attempt started, RFC 3339 in UTC. */
    started_at: string;
    /** Null until the run has ended. */
    finished_at: null;
  }
> & {
  /** How far it is; only `syncs.wait` and `syncs.watch` know, and only of a service that tells. */
  progress?: Progress;
};

/** A run that has ended with its work done; single refs may still have been rejected, see `stats`. */
export type CompletedRun = RunIn<
  "completed",
  {
    /** What became of every ref. */
    stats: SyncRunStats;
    /** Null: it did not fail. */
    error: null;
    /** When its last attempt started, RFC 3339 in UTC. */
    started_at: string;
    /** When it ended, RFC 3339 in UTC. */
    finished_at: string;
  }
>;

/** A run that has ended without its work done; `error` says why. */
export type FailedRun = RunIn<
  "failed",
  {
    /** Why, for a person; `cancelled` where somebody cancelled it. */
    error: string;
    /** When it ended, RFC 3339 in UTC. */
    finished_at: string;
  }
>;

/** A run that has ended. */
export type EndedRun = CompletedRun | FailedRun;

/** A completed run, as lists return it. */
export type ListedCompletedRun = Omit<CompletedRun, "stats"> & {
  /** The outcome of every ref; null if the list would exceed 8 MB. `counts` has the number of refs for each outcome. */
  stats: SyncRunStats | null;
};

/** A run that has its `stats` if it completed. `syncs.get`, `syncs.wait` and `syncs.watch` return it. */
export type WholeRun = QueuedRun | RunningRun | EndedRun;

/** One sync of a repository with its upstream: queued, running or ended. Ask for its `status` first. */
export type SyncRun = QueuedRun | RunningRun | ListedCompletedRun | FailedRun;

/** A repository's upstream remote, as the API shows it: never with its credentials. */
export interface Upstream extends Omit<AnyUpstream, "latest_sync"> {
  /** The newest run; null before the first. Only lists may leave out `stats`, and only if they would be too large. */
  latest_sync: SyncRun | null;
}

/** A repository. */
export interface Repo extends Omit<AnyRepo, "upstream"> {
  /** Where it follows or feeds; null when it stands alone. */
  upstream: Upstream | null;
}

/** One page of an organisation's repositories, newest first. */
export interface RepoPage {
  /** Where the next page starts; null on the last one. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** The repositories. */
  repos: Repo[];
}

/** One page of a repository's runs, newest first. */
export interface SyncRunPage {
  /** Where the next page starts; null on the last one. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** The runs. */
  syncs: SyncRun[];
}
