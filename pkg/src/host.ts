/**
 * What the service needs from the place where it runs. Each is a plain object: `refsync/node` makes those of Node.
 *
 * @module
 */

/** Anything with PGlite's or pg's `query`: a PGlite instance or a pg Pool can be passed as it is. */
export interface Database {
  query(sql: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** Where the bare repositories live; ids are the service's repository ids. */
export interface GitHost {
  /** Makes an empty repository whose HEAD is `defaultBranch`; does nothing where it exists. */
  create(repoId: string, defaultBranch: string): Promise<void>;
  /** Removes the repository; does nothing where there is none. */
  remove(repoId: string): Promise<void>;
  /** Points HEAD at `branch`, which need not exist yet. */
  setHead(repoId: string, branch: string): Promise<void>;
  /**
   * Why the repository's files cannot be used, in words; null if this look finds nothing. If a host does not have this method, no
   * repository is shown as damaged.
   *
   * - `files`: whether the files are there that every repository has. Starts no process.
   * - `refs-if-few`: also whether every ref names an object that is there, unless there are so many refs that this takes long.
   * - `refs`: the same for any number of refs.
   */
  damage?(repoId: string, look: "files" | "refs-if-few" | "refs"): Promise<string | null>;
  /**
   * Reads the whole repository. If it is damaged, makes it anew, whose HEAD is `defaultBranch`, with every ref that is whole. Null
   * if nothing is wrong.
   */
  repair?(repoId: string, defaultBranch: string): Promise<RepairedRepository | null>;
  /** Git smart HTTP; the URL's path is `/<repoId>.git/…`, the origin does not matter. Streams both ways. */
  fetch(request: Request): Promise<Response>;
}

/** A repository that was damaged and made anew. */
export interface RepairedRepository {
  /** What was wrong with it. */
  reason: string;
  /** What could not be saved: names of refs, or words for what hid them. */
  lost: string[];
  /** What its host calls the damaged files, which are kept; null if nothing of them is left. */
  kept: string | null;
}

/** The `fetch` that remotes and webhooks are reached with. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** What the engine reads of an answer: every `Response` is one. */
export interface FetchAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The URL that answered, behind all redirects. */
  readonly url: string;
  /** The headers, by name and value. */
  readonly headers: {
    /** Each header; names compare without case. */
    entries(): IterableIterator<[string, string]>;
  };
  /** What was answered, as it comes; null where there is nothing. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** A `fetch` for the engine, whose answers need not be whole `Response`s. */
export type EngineFetch = (input: string, init?: RequestInit) => Promise<FetchAnswer>;
