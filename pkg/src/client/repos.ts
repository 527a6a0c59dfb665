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
  EnsureCommitRequest,
  Freshness,
  FreshnessRequest,
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
  UpstreamHookSecret,
} from "../wasm/client/refsync.js";
import { type Paged, paged } from "./paged.js";
import type { Ensured, Repo, RepoPage, SyncRun, SyncRunPage, WholeRun } from "./run.js";
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

  /**
   * Waits until the repository has a commit, for example before a build starts. If it is not there, the service pulls it from the
   * upstream. If the time of `timeout_seconds` (default 30) is over first, `reachable` is false and `sync` is the run.
   *
   * @throws {@link ConflictError} with the code `UPSTREAM_NOT_CONFIGURED` if the commit is not there and the repository has no upstream.
   * @example
   * ```ts
   * const sha = "3b1f6a4c0de2a9b7f05d1c8e64a7930b52cf18d6";
   * const { reachable, sync } = await client.repos.ensure({ repo: "app", sha, timeout_seconds: 60 });
   * if (!reachable) console.error(sync?.error ?? "the commit did not arrive in time");
   * ```
   */
  ensure(request: EnsureCommitRequest, options: CallOptions = {}): Promise<Ensured> {
    // The answer may take that long, and a little more.
    const { timeout = ((request?.timeout_seconds ?? 30) + 30) * 1000, ...others } = options;
    return this.#send("ensureCommit", request, { ...others, timeout });
  }

  /**
   * Makes the address that the upstream's host calls after a push, and its secret. If there is one already, it gets a new secret. No
   * other answer contains the secret.
   *
   * @throws {@link ConflictError} with the code `UPSTREAM_NOT_CONFIGURED` if the repository has no upstream.
   */
  createHook(request: RepoPath, options: CallOptions = {}): Promise<UpstreamHookSecret> {
    return this.#send("createUpstreamHook", request, options);
  }

  /** Deletes the address that the upstream's host calls after a push. */
  deleteHook(request: RepoPath, options: CallOptions = {}): Promise<DeleteResult> {
    return this.#send("deleteUpstreamHook", request, options);
  }

  /**
   * How fresh a repository is. A repository that is not fresh is no error: look at `fresh`.
   *
   * @throws {@link InvalidRequestError} if neither the request nor the upstream has a `max_age`.
   * @throws {@link ConflictError} with the code `UPSTREAM_NOT_CONFIGURED` if the repository has no upstream.
   * @example
   * ```ts
   * const { fresh, verified_at } = await client.repos.freshness({ repo: "app", max_age: "15m" });
   * if (!fresh) console.error(`the mirror is behind; it was verified at ${verified_at}`);
   * ```
   */
  freshness(request: FreshnessRequest, options: CallOptions = {}): Promise<Freshness> {
    return this.#send("showFreshness", request, options);
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
