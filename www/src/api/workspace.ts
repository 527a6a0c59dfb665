/**
 * The page's state: an organisation's repositories, and the runs that the page follows. Views listen to it and draw.
 *
 * A run is followed here and not in a view, so that it goes on while the user looks at another repository.
 */

import {
  AbortError,
  ConflictError,
  NotFoundError,
  type Repo,
  SyncClient,
  type SyncRun,
  UnauthenticatedError,
  type Whoami,
} from "refsync";

import type { Session } from "./session";

/** A change of the state. */
export type Change =
  /** Repositories were added, removed or changed. */
  | { kind: "repos" }
  /** A run is new or has a new status. */
  | { kind: "run"; run: SyncRun }
  /** A run has the same status but new `progress`. */
  | { kind: "progress"; run: SyncRun }
  /** A run could not be followed any further. */
  | { kind: "lost"; run: SyncRun; error: unknown }
  /** The service no longer accepts the key. */
  | { kind: "refused"; error: unknown };

/** One organisation, as one key sees it. */
export class Workspace {
  /** By id, in the service's order. */
  readonly repos = new Map<string, Repo>();
  /** Whether every page of the list has been loaded. */
  complete = false;

  /** The names that were requested one by one. The value is true if the service has no such repository. */
  readonly #sought = new Map<string, boolean>();
  readonly #listeners = new Set<(change: Change) => void>();
  /** The followed runs, in their latest state. */
  readonly #followed = new Map<string, SyncRun>();
  readonly #closed = new AbortController();

  private constructor(
    readonly session: Session,
    readonly client: SyncClient,
    readonly who: Whoami,
  ) {}

  /** Checks the key. Throws the client's error if the service refuses it or does not answer. */
  static async open(session: Session): Promise<Workspace> {
    const client = new SyncClient({ apiUrl: session.apiUrl, apiKey: session.apiKey });
    return new Workspace(session, client, await client.whoami());
  }

  /** Whether the key's scope allows this. Scopes nest, and a service may name only the widest one. */
  allows(scope: "write" | "admin"): boolean {
    return this.who.scopes.includes("admin") || this.who.scopes.includes(scope);
  }

  /** Reads all pages of the list. Repositories show as they come. */
  async load(): Promise<void> {
    const seen = new Map<string, Repo>();
    let cursor: string | undefined;
    do {
      const page = await this.client.repos.list(cursor === undefined ? { limit: 100 } : { cursor, limit: 100 });
      for (const repo of page.repos) {
        seen.set(repo.id, repo);
        this.repos.set(repo.id, repo);
      }
      this.#tell({ kind: "repos" });
      cursor = page.has_more && page.next_cursor !== null ? page.next_cursor : undefined;
    } while (cursor !== undefined && !this.#closed.signal.aborted);
    // Only now do we know which repositories are gone, and the order of the others.
    this.repos.clear();
    for (const [id, repo] of seen) this.repos.set(id, repo);
    this.complete = true;
    this.#tell({ kind: "repos" });
    for (const repo of seen.values()) this.follow(repo.upstream?.latest_sync);
  }

  /** The repository of this name, whatever the case, or with this id. */
  find(name: string): Repo | undefined {
    const lower = name.toLowerCase();
    return this.repos.get(name) ?? [...this.repos.values()].find((repo) => repo.name.toLowerCase() === lower);
  }

  /** Requests a repository that the list does not have yet. Requests it only once until the list has loaded. */
  async seek(name: string): Promise<void> {
    if (this.complete || this.#sought.has(name)) return;
    this.#sought.set(name, false);
    try {
      const repo = await this.client.repos.get({ repo: name });
      if (!this.repos.has(repo.id)) this.repos.set(repo.id, repo);
    } catch (error) {
      // The list reports any other failure.
      if (this.report(error) || !(error instanceof NotFoundError)) return;
      this.#sought.set(name, true);
    }
    this.#tell({ kind: "repos" });
  }

  /** Whether the service has said that there is no such repository. */
  isMissing(name: string): boolean {
    return this.#sought.get(name) === true;
  }

  /** Updates a repository. A new one comes first. */
  put(repo: Repo): void {
    if (this.repos.has(repo.id)) {
      this.repos.set(repo.id, repo);
    } else {
      const others = [...this.repos];
      this.repos.clear();
      for (const [id, other] of [[repo.id, repo] as const, ...others]) this.repos.set(id, other);
    }
    this.#tell({ kind: "repos" });
    this.follow(repo.upstream?.latest_sync);
  }

  /** Forgets a deleted repository. */
  drop(repo: Repo): void {
    this.repos.delete(repo.id);
    this.#tell({ kind: "repos" });
  }

  /** Follows a run until it has ended. Does nothing if it has ended already. */
  follow(run: SyncRun | null | undefined): void {
    if (!run || hasEnded(run) || this.#followed.has(run.id)) return;
    this.#followed.set(run.id, run);
    const ended = (last: SyncRun) => {
      this.#take(last);
      // Only the service knows how many refs differ now. If it does not answer, the next load of the list shows it.
      this.refresh(last.repo_id).catch((error: unknown) => void this.report(error));
    };
    this.client.syncs
      .wait(run, { signal: this.#closed.signal, onUpdate: (update) => this.#moved(update) })
      .then(ended)
      .catch((error: unknown) => {
        if (!this.report(error)) this.#tell({ kind: "lost", run, error });
      })
      .finally(() => this.#followed.delete(run.id));
  }

  /** Adds a run that this page has just started, and follows it. */
  start(run: SyncRun): void {
    this.#take(run);
    this.follow(run);
  }

  /** Requests a repository's state. */
  async refresh(repoId: string): Promise<void> {
    const repo = await this.client.repos.get({ repo: repoId });
    if (this.repos.has(repoId)) this.put(repo);
  }

  /** Cancels a run. If it has ended meanwhile, the watch reports that. */
  async cancel(run: SyncRun): Promise<void> {
    try {
      this.start(await this.client.syncs.cancel({ repo: run.repo_id, sync_id: run.id }));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  /** Whether the workspace deals with this error itself: the key was refused, or the workspace was closed. */
  report(error: unknown): boolean {
    if (this.#closed.signal.aborted || error instanceof AbortError) return true;
    if (!(error instanceof UnauthenticatedError)) return false;
    this.#tell({ kind: "refused", error });
    return true;
  }

  /** Calls `listener` on every change. Returns a function that stops this. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops all calls and all listening. */
  close(): void {
    this.#listeners.clear();
    this.#closed.abort();
  }

  #moved(run: SyncRun): void {
    const before = this.#followed.get(run.id);
    this.#followed.set(run.id, run);
    const isProgress = before?.status === run.status && before.attempt === run.attempt;
    if (isProgress) this.#tell({ kind: "progress", run });
    else this.#take(run);
  }

  #take(run: SyncRun): void {
    const repo = this.repos.get(run.repo_id);
    const latest = repo?.upstream?.latest_sync;
    if (repo?.upstream && (!latest || latest.id === run.id || latest.created_at <= run.created_at)) {
      this.repos.set(repo.id, { ...repo, upstream: { ...repo.upstream, latest_sync: run } });
    }
    this.#tell({ kind: "run", run });
  }

  #tell(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Whether this run has ended. */
export function hasEnded(run: SyncRun): boolean {
  return run.status === "completed" || run.status === "failed";
}
