/**
 * The types of a run in each state, made from the shapes that are generated from Rust. After a check of `status`, TypeScript knows
 * which fields are not null.
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

/** A run in certain states. Some of its fields have narrower types. */
type RunIn<Status extends AnyRun["status"], Known extends Partial<AnyRun>> = Omit<AnyRun, "status" | keyof Known> & {
  /** The state of the run. */
  status: Status;
} & Known;

/** A run that waits for a worker, for its first or a later attempt. */
export type QueuedRun = RunIn<
  "queued",
  {
    /** Null until the run has ended. */
    stats: null;
    /** Null until the run has ended. */
    finished_at: null;
  }
>;

/** A run that a worker is working on. */
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
  /** The progress. Only `syncs.wait` and `syncs.watch` set it, and only if the service reports it. */
  progress?: Progress;
};

/** A run that has completed. Single refs may still be rejected, see `stats`. */
export type CompletedRun = RunIn<
  "completed",
  {
    /** The result of each ref. */
    stats: SyncRunStats;
    /** Null: it did not fail. */
    error: null;
    /** When its last attempt started, RFC 3339 in UTC. */
    started_at: string;
    /** When it ended, RFC 3339 in UTC. */
    finished_at: string;
  }
>;

/** A run that has failed. `error` says why. */
export type FailedRun = RunIn<
  "failed",
  {
    /** The reason, for a person; `cancelled` if somebody cancelled it. */
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

/** One sync of a repository with its upstream: queued, running or ended. Check its `status` first. */
export type SyncRun = QueuedRun | RunningRun | ListedCompletedRun | FailedRun;

/** Whether a commit is there. */
export interface Ensured {
  /** Whether the repository has the commit, reachable from the ref. */
  reachable: boolean;
  /** The last pull that the call has queued or joined; null if the commit was there at once. */
  sync: WholeRun | null;
}

/** A repository's upstream remote, as the API shows it: never with its credentials. */
export interface Upstream extends Omit<AnyUpstream, "latest_sync"> {
  /** The newest run; null before the first. Only lists may leave out `stats`, and only if they would be too large. */
  latest_sync: SyncRun | null;
}

/** A repository. */
export interface Repo extends Omit<AnyRepo, "upstream"> {
  /** The upstream; null if the repository has none. */
  upstream: Upstream | null;
}

/** One page of an organisation's repositories, newest first. */
export interface RepoPage {
  /** The cursor of the next page; null on the last page. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** The repositories. */
  repos: Repo[];
}

/** One page of a repository's runs, newest first. */
export interface SyncRunPage {
  /** The cursor of the next page; null on the last page. */
  next_cursor: string | null;
  /** Whether there is a next page. */
  has_more: boolean;
  /** The runs. */
  syncs: SyncRun[];
}
