/**
 * `client.repos`.
 *
 * @module
 */

import type {
  ApproveHeldRequest,
  Backups,
  CreateRepoRequest,
  DeleteResult,
  HeldRefs,
  ListBackupsRequest,
  ListReposRequest,
  ListSyncsRequest,
  OrgPath,
  RepoPath,
  Restored,
  RestoreRefRequest,
  SyncPath,
  SyncRunStats,
  SyncUpstreamRequest,
  UpdateRepoRequest,
} from "../wasm/client/refsync.js";
import { type Paged, paged } from "./paged.js";
import type { Repo, RepoPage, SyncRun, SyncRunPage, WholeRun } from "./run.js";
import type { CallOptions, Send } from "./send.js";
import { listSyncs } from "./syncs.js";

/**
 * Repositories: made, read, changed, deleted, and synced with their upstreams. Reached as `client.repos`.
 *
 * @example
 * ```ts
 * const upstream = { url: "https://github.com/acme/app.git", auth: { kind: "token", token } } as const;
 * await client.repos.create({ name: "app", upstream });
 * for await (const { name, upstream } of client.repos.list()) console.log(name, upstream?.latest_sync?.status);
 * ```
 */
export class Repos {
  readonly #send: Send;

  /** @internal */
  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Makes a repository.
   *
   * @throws {@link ConflictError} if the name is taken.
   */
  create(request: CreateRepoRequest & OrgPath = {}, options: CallOptions = {}): Promise<Repo> {
    return this.#send("createRepo", request, options);
  }

  /** One repository. */
  get(request: RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send("showRepo", request, options);
  }

  /**
   * An organisation's repositories, newest first: `await` gives the first page, `for await` all of them.
   */
  list(request: ListReposRequest = {}, options: CallOptions = {}): Paged<RepoPage, Repo> {
    const page = (from: { cursor?: string }) => this.#send<RepoPage>("listRepos", { ...request, ...from }, options);
    return paged(page, ({ repos }) => repos);
  }

  /** Changes a repository. Keys that are left out (or `undefined`) do not change. If `upstream` is null, the upstream is removed. */
  update(request: UpdateRepoRequest & RepoPath, options: CallOptions = {}): Promise<Repo> {
    return this.#send("updateRepo", request, options);
  }

  /** Deletes a repository with its refs and runs. */
  delete(request: RepoPath, options: CallOptions = {}): Promise<DeleteResult> {
    return this.#send("deleteRepo", request, options);
  }

  /**
   * Requests a sync with the upstream, and returns its run, which is mostly still queued; see {@link Syncs.wait}.
   *
   * @throws {@link ConflictError} with the code `UPSTREAM_NOT_CONFIGURED` if the repository has no upstream.
   * @example
   * ```ts
   * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull", ref_globs: { branches: "main" } });
   * const ended = await client.syncs.wait(run);
   * ```
   */
  syncUpstream(request: SyncUpstreamRequest, options: CallOptions = {}): Promise<WholeRun> {
    return this.#send("createSync", request, options);
  }

  /**
   * The stats that {@link syncUpstream} would have now if nothing moves meanwhile and nothing is refused. Changes nothing and makes no
   * run.
   *
   * @throws {@link ConflictError} with the code `UPSTREAM_NOT_CONFIGURED`, or `UPSTREAM_FAILED` if a side cannot be read.
   * @throws {@link ServerError} with the code `UPSTREAM_UNAVAILABLE` if a side cannot be read now, but perhaps later.
   * @example
   * ```ts
   * const { refs } = await client.repos.planUpstreamSync({ repo: "app", direction: "push" });
   * console.log(refs.filter(({ outcome }) => outcome === "rejected").map(({ name, reason }) => `${name}: ${reason}`));
   * ```
   */
  planUpstreamSync(request: SyncUpstreamRequest, options: CallOptions = {}): Promise<SyncRunStats> {
    return this.#send("planSync", request, options);
  }

  /** The moves that wait for an approval, because the policy's `on_diverged` is `hold`. */
  listHeldRefs(request: RepoPath, options: CallOptions = {}): Promise<HeldRefs> {
    return this.#send("listHeldRefs", request, options);
  }

  /**
   * Approves held moves, all or none. They happen at the next sync, if neither id has changed by then.
   *
   * @throws {@link InvalidRequestError} if one of them is not held with these ids.
   */
  approveHeldRefs(request: ApproveHeldRequest, options: CallOptions = {}): Promise<HeldRefs> {
    return this.#send("approveHeldRefs", request, options);
  }

  /**
   * The old objects of refs that syncs have forced or deleted: those of pulls, which are in the repository, or with the direction `push`
   * those of pushes, which are at the upstream.
   */
  listBackups(request: ListBackupsRequest, options: CallOptions = {}): Promise<Backups> {
    return this.#send("listBackups", request, options);
  }

  /**
   * Moves a ref back to the object of a backup. A new backup keeps its present object. The next sync moves the ref again if
   * the policy says so.
   *
   * @throws {@link NotFoundError} if there is no such backup.
   */
  restoreRef(request: RestoreRefRequest, options: CallOptions = {}): Promise<Restored> {
    return this.#send("restoreRef", request, options);
  }

  /** One sync of a repository; the same as {@link Syncs.get}. */
  getUpstreamSync(request: SyncPath, options: CallOptions = {}): Promise<WholeRun> {
    return this.#send("showSync", request, options);
  }

  /** A repository's syncs, newest first; the same as {@link Syncs.list}. */
  listUpstreamSyncs(request: ListSyncsRequest, options: CallOptions = {}): Paged<SyncRunPage, SyncRun> {
    return listSyncs(this.#send, request, options);
  }
}
