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
  /** Git smart HTTP; the URL's path is `/<repoId>.git/…`, the origin does not matter. Streams both ways. */
  fetch(request: Request): Promise<Response>;
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
