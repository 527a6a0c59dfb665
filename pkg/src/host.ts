/**
 * The interfaces that the service needs from its host. Each is a plain object. `refsync/node` makes those for Node.
 *
 * @module
 */

/** Any object with the `query` method of PGlite or pg, such as a PGlite instance or a pg `Pool`. */
export interface Database {
  /** Runs one statement with its parameters (`$1`, …), and returns its rows. */
  query(sql: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** The host of the bare repositories. Ids are the service's repository ids. */
export interface GitHost {
  /** Makes an empty repository whose HEAD is `defaultBranch`. Does nothing if it exists. */
  create(repoId: string, defaultBranch: string): Promise<void>;
  /** Removes the repository. Does nothing if there is none. */
  remove(repoId: string): Promise<void>;
  /** Points HEAD at `branch`, which need not exist yet. */
  setHead(repoId: string, branch: string): Promise<void>;
  /**
   * Why the repository's files cannot be used, in words; null if this check finds no damage. If a host does not have this method,
   * no repository is shown as damaged.
   *
   * - `files`: checks that the files that every repository has exist. Starts no process.
   * - `refs-if-few`: also checks that the object of every ref exists, unless there are too many refs for a quick check.
   * - `refs`: the same for any number of refs.
   */
  damage?(repoId: string, look: "files" | "refs-if-few" | "refs"): Promise<string | null>;
  /**
   * Reads the whole repository. If it is damaged, recreates it with every intact ref, and sets HEAD to `defaultBranch`. Null if
   * nothing is wrong.
   */
  repair?(repoId: string, defaultBranch: string): Promise<RepairedRepository | null>;
  /**
   * Whether a branch or tag of the repository contains the commit, or only the ref with this full name. If a host does not have this
   * method, only commits that a branch or tag names are found.
   */
  hasCommit?(repoId: string, commitId: string, refName?: string): Promise<boolean>;
  /** Git smart HTTP; the URL's path is `/<repoId>.git/…`, the origin does not matter. Streams both ways. */
  fetch(request: Request): Promise<Response>;
}

/** A repository that was damaged and has been recreated. */
export interface RepairedRepository {
  /** What was wrong with it. */
  reason: string;
  /** What could not be saved: names of refs, or a description of the file whose refs could not be read. */
  lost: string[];
  /** The host's name for the kept copy of the damaged files; null if there is no copy. */
  kept: string | null;
}

/** The `fetch` for remotes and webhooks. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** The part of an answer that the engine reads. Every `Response` has it. */
export interface FetchAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The URL that answered, after all redirects. */
  readonly url: string;
  /** The headers, by name and value. */
  readonly headers: {
    /** Each header; names compare without case. */
    entries(): IterableIterator<[string, string]>;
  };
  /** The body, as it comes; null if there is none. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** A `fetch` for the engine, whose answers need not be whole `Response`s. */
export type EngineFetch = (input: string, init?: RequestInit) => Promise<FetchAnswer>;
