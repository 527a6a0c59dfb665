// A user's script: it uses every type and every class that `refsync` exports. It is compiled, never run.

import type {
  ApiError,
  ApproveHeldRequest,
  ApproveRequest,
  AuthKind,
  Backup,
  Backups,
  CallOptions,
  ClientOptions,
  ClientSettings,
  CompletedRun,
  CreateRepoRequest,
  CreateWebhookTargetRequest,
  Credential,
  DeleteResult,
  Direction,
  EndedRun,
  EnsureCommitRequest,
  Ensured,
  EnsureRequest,
  ErrorBody,
  ErrorDetails,
  ErrorInit,
  FailedRun,
  Fetch,
  FieldError,
  Freshness,
  FreshnessRequest,
  HeldMove,
  HeldRef,
  HeldRefs,
  ListBackupsRequest,
  ListedCompletedRun,
  ListReposRequest,
  ListSyncsRequest,
  ListWebhookTargetsRequest,
  MessageSide,
  OnDiverged,
  Organization,
  OrgPath,
  Origin,
  OriginRequest,
  OriginUpdate,
  Outcome,
  Paged,
  PageRequest,
  Phase,
  PolicyRequest,
  Progress,
  QueuedRun,
  Reason,
  RefGlobs,
  Repo,
  RepoPage,
  RepoPath,
  Repos,
  Restored,
  RestoreRefRequest,
  RestoreRequest,
  RunName,
  RunningRun,
  Schedule,
  ScheduleRequest,
  SyncPath,
  SyncRequest,
  SyncRun,
  SyncRunMessage,
  SyncRunPage,
  SyncRunRef,
  SyncRunStats,
  SyncStatus,
  Syncs,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  UpdateWebhookTargetRequest,
  Upstream,
  UpstreamAuth,
  UpstreamHook,
  UpstreamHookSecret,
  UpstreamPolicy,
  UpstreamRequest,
  UpstreamUpdate,
  WaitOptions,
  WaitTarget,
  WasmSource,
  WatchOptions,
  WebhookFormat,
  WebhookTarget,
  WebhookTargetPage,
  WebhookTargetPath,
  WebhookTargetSecret,
  WebhookTargets,
  Whoami,
  WhoamiOrg,
  WholeRun,
} from "refsync";
import {
  AbortError,
  ConflictError,
  ConnectionError,
  ForbiddenError,
  InvalidRequestError,
  InvalidResponseError,
  NotFoundError,
  RateLimitedError,
  RefsyncError,
  ServerError,
  SyncClient,
  TimeoutError,
  UnauthenticatedError,
} from "refsync";

const vault: Credential = async () => "token";
const compiled: WasmSource = new Uint8Array();
export const elsewhere = new SyncClient({ apiKey: vault, wasm: compiled });
// The environment has both.
export const fromEnvironment = new SyncClient();

export async function names(): Promise<string[]> {
  const all: string[] = [];
  const list: Paged<RepoPage, Repo> = repos.list({ limit: 10 });
  for await (const repo of list) all.push(repo.name);
  return all;
}

export async function follow(run: SyncRun, signal: AbortSignal): Promise<number> {
  const watch: WatchOptions = { signal, timeout: 1000 };
  for await (const now of syncs.watch(run, watch)) if (now.status === "in_progress") console.log(now.started_at.length);
  const ended: EndedRun = await syncs.wait(run);
  const stored: RunName = { id: run.id, repo_id: run.repo_id };
  await syncs.wait(stored);
  await syncs.wait(run.id, { repo: "app" });
  const failed = (which: FailedRun): number => which.error.length;
  const completed = (which: CompletedRun): number => which.stats.refs.length;
  return ended.status === "completed" ? completed(ended) : failed(ended);
}

export function listed(run: ListedCompletedRun): number {
  return run.stats?.refs.length ?? run.counts?.updated ?? 0;
}

export const asShown = (run: WholeRun): SyncRun => run;

export function waiting(run: SyncRun): run is QueuedRun | RunningRun {
  return run.status === "queued" || run.status === "in_progress";
}

const counted: Fetch = (input, init) => fetch(input, init);
const settings: ClientSettings = { apiKey: "key", apiUrl: "https://h/v1", org: "acme", maxRetries: 3, timeout: 5000 };
const options: ClientOptions = { ...settings, fetch: counted };
const client = new SyncClient(options);
const repos: Repos = client.repos;
const syncs: Syncs = client.syncs;

export async function scheduled(repo: string, url: string): Promise<string | null> {
  const schedule: ScheduleRequest = { cron: "0 3 * * *", time_zone: "Europe/Berlin", ref_globs: { branches: "main" } };
  const { upstream } = await repos.update({ repo, upstream: { url, schedule } });
  const kept: Schedule | null = upstream?.schedule ?? null;
  return kept?.next_at ?? null;
}

const targets: WebhookTargets = client.webhookTargets;

export async function hook(url: string): Promise<string[]> {
  const request: CreateWebhookTargetRequest = { url, events: ["sync.completed"], repo_ids: null };
  const made: WebhookTargetSecret = await targets.create({ ...request, org: "acme" });
  const path: WebhookTargetPath = { target_id: made.id };
  const change: UpdateWebhookTargetRequest = { name: null, repo_ids: null };
  const target: WebhookTarget = await targets.update({ ...path, ...change });
  const { secret } = await targets.rotateSecret(path);
  const asked: ListWebhookTargetsRequest = { limit: 10 };
  const page: WebhookTargetPage = await targets.list(asked);
  await targets.delete(path);
  return [secret, made.secret, ...target.events, ...page.webhook_targets.flatMap(({ repo_ids }) => repo_ids ?? [])];
}

export function shown(run: RunningRun): string {
  const progress: Progress | undefined = run.progress;
  const phase: Phase = progress?.phase ?? "listing";
  return `${phase} ${progress?.bytes ?? 0} ${progress?.objects ?? "?"}`;
}

export async function planned(path: SyncPath): Promise<SyncRunStats> {
  await syncs.cancel(path);
  return repos.planUpstreamSync({ repo: path.repo, direction: "push", ref_globs: { tags: "v*" } });
}

const token: UpstreamAuth = { kind: "token", token: "t", token_username: "x-access-token" };
const password: UpstreamAuth = { kind: "username_password", username: "u", password: "p" };
const upstream: UpstreamRequest = { url: "https://h/r.git", auth: token };
const keeps: UpstreamUpdate = { url: "https://h/r.git" };
const clears: UpstreamUpdate = { ...keeps, auth: null };
const origin: OriginRequest = { url: "https://h/o.git", auth: token };
const moved: OriginUpdate = { url: "https://h/p.git", auth: null };
const replaces: UpstreamUpdate = { ...keeps, auth: password };

export async function setUp(): Promise<Repo> {
  const { org, key_id, scopes }: Whoami = await client.whoami();
  const { slug }: WhoamiOrg = org;
  const path: OrgPath = { org: slug };
  const organization: Organization = await client.organization(path);
  console.log(key_id?.length ?? 0, scopes.join(), organization.num_repos);
  const request: CreateRepoRequest = {
    name: "app",
    default_bookmark: "main",
    tags: { team: "core" },
    upstream,
    origin,
  };
  const repo: Repo = await repos.create({ ...request, org: slug });
  const change: UpdateRepoRequest = { tags: { team: null }, upstream: clears };
  await repos.update({ repo: repo.id, ...change });
  await repos.update({ repo: repo.id, upstream: replaces });
  await repos.update({ repo: repo.id, upstream: null, origin: moved });
  return repos.get({ repo: "app" });
}

export async function tearDown(path: RepoPath): Promise<boolean> {
  const result: DeleteResult = await repos.delete(path);
  return result.success;
}

export function describe(repo: Repo): string {
  const remote: Upstream | null = repo.upstream;
  const home: Origin | null | undefined = repo.origin;
  const kind: AuthKind | null | undefined = remote?.auth_kind;
  return `${repo.name} ${home?.url ?? ""} ${kind ?? "public"} ${remote?.latest_sync?.status ?? "never"} ${repo.tags.team ?? ""}`;
}

export function said(stats: SyncRunStats, ref: SyncRunRef): string {
  const message: SyncRunMessage | undefined = stats.messages?.[ref.message_index ?? -1];
  const side: MessageSide | undefined = message?.side;
  return `${side ?? "nobody"}: ${message?.text ?? ""}`;
}

export async function* everyRepo(first: PageRequest): AsyncGenerator<Repo> {
  let request: ListReposRequest = { ...first };
  for (;;) {
    const page: RepoPage = await repos.list(request);
    yield* page.repos;
    if (page.next_cursor === null) return;
    request = { ...request, cursor: page.next_cursor };
  }
}

export async function pull(direction: Direction, globs: Partial<RefGlobs>, signal: AbortSignal): Promise<SyncRunStats> {
  const body: SyncRequest = { direction, ref_globs: globs };
  const request: SyncUpstreamRequest = { repo: "app", ...body };
  const call: CallOptions = { signal, timeout: 10_000 };
  const queued: SyncRun = await repos.syncUpstream(request, call);
  const target: WaitTarget = { repo: "app", timeout: 60_000 };
  const wait: WaitOptions = { ...target, signal, onUpdate: (run) => console.log(run.status satisfies SyncStatus) };
  const run = await syncs.wait(queued, wait);
  return run.stats ?? { refs: [] };
}

export async function setPolicy(upstream: UpstreamUpdate, on_diverged: OnDiverged): Promise<UpstreamPolicy | null> {
  const policy: PolicyRequest = { on_diverged, prune_max: null, exclude: ["refs/heads/wip/*"], keep_backups: "90d" };
  const repo = await repos.update({ repo: "app", upstream: { ...upstream, policy } });
  await repos.syncUpstream({ repo: "app", direction: "pull", policy: { atomic: true } });
  return repo.upstream?.policy ?? null;
}

export async function isFresh(repo: string, format: WebhookFormat): Promise<boolean> {
  const upstream: UpstreamUpdate = { url: "https://git.example.com/app.git", max_age: "15m", public_badge: true };
  const changed = await repos.update({ repo, upstream });
  await targets.create({ url: "https://example.com/hooks", events: ["upstream.stale"], format });
  const request: FreshnessRequest = { repo, max_age: changed.upstream?.max_age ?? "1h" };
  const { fresh, verified_at, age_seconds, behind }: Freshness = await repos.freshness(request);
  console.log(changed.upstream?.stale_since, verified_at ?? "never", age_seconds ?? 0, behind ?? 0);
  return fresh;
}

export async function approveAll(repo: string): Promise<HeldRef[]> {
  const { held }: HeldRefs = await repos.listHeldRefs({ repo });
  const refs: HeldMove[] = held.map(({ name, from, to }: HeldRef) => ({ name, from, to }));
  const moves: ApproveRequest = { refs };
  const request: ApproveHeldRequest = { repo, ...moves };
  return (await repos.approveHeldRefs(request)).held;
}

export async function undo(repo: string): Promise<(string | null)[]> {
  const pushed: ListBackupsRequest = { repo, direction: "push" };
  const { backups }: Backups = await repos.listBackups(pushed);
  const restored = backups.map(({ ref, oid }: Backup): Promise<Restored> => {
    const backup: RestoreRequest = { ref, oid, direction: "push" };
    const request: RestoreRefRequest = { repo, ...backup };
    return repos.restoreRef(request);
  });
  return (await Promise.all(restored)).map(({ before }) => before);
}

export async function waitFor(repo: string, sha: string): Promise<string> {
  const commit: EnsureRequest = { sha, ref: "refs/heads/main", timeout_seconds: 60 };
  const request: EnsureCommitRequest = { repo, ...commit };
  const { reachable, sync }: Ensured = await repos.ensure(request);
  return reachable ? "there" : (sync?.error ?? "late");
}

export async function makeHook(repo: string): Promise<string[]> {
  const made: UpstreamHookSecret = await repos.createHook({ repo });
  const { upstream } = await repos.update({ repo, upstream: { url: "https://h/a.git", on_push: true } });
  const shown: UpstreamHook | undefined = upstream?.hook;
  if (upstream?.on_push !== true) await repos.deleteHook({ repo });
  return [made.url, made.secret, shown?.url ?? ""];
}

export async function history(repo: string): Promise<SyncRun[]> {
  const request: ListSyncsRequest = { repo, limit: 10 };
  const page: SyncRunPage = await repos.listUpstreamSyncs(request);
  const same: SyncRunPage = await syncs.list(request);
  const path: SyncPath = { repo, sync_id: page.syncs[0]?.id ?? "" };
  return [await repos.getUpstreamSync(path), await syncs.get(path), ...same.syncs];
}

export function explain({ name, before, after, outcome, reason, message }: SyncRunRef): string {
  const how: Record<Outcome, string> = {
    updated: "moved",
    unchanged: "kept",
    filtered: "left out",
    rejected: "refused",
  };
  const why: Reason | null = reason;
  return `${name} ${how[outcome]} ${before ?? "new"} ${after} ${why === "non_fast_forward" ? "diverged" : ""} ${message ?? ""}`;
}

export function report(error: unknown): string {
  if (error instanceof InvalidRequestError)
    return error.fields.map((f: FieldError) => `${f.field} ${f.message}`).join();
  if (error instanceof UnauthenticatedError || error instanceof ForbiddenError) return "check the key";
  if (error instanceof NotFoundError) return "no such thing";
  if (error instanceof ConflictError) return error.code === "UPSTREAM_NOT_CONFIGURED" ? "no upstream" : "taken";
  if (error instanceof RateLimitedError) return `wait ${error.retryAfter ?? 0} ms`;
  if (error instanceof ServerError) return error.traceId ?? "";
  if (error instanceof ConnectionError || error instanceof TimeoutError) return error.retryable ? "again" : "offline";
  if (error instanceof AbortError) return String(error.cause);
  if (error instanceof InvalidResponseError) return `${error.status ?? 0}`;
  if (error instanceof RefsyncError) return error.name;
  return "not ours";
}

export function refusal(code: string): ErrorBody {
  const details: ErrorDetails = { fields: [] };
  const error: ApiError = { code, message: "no", details, trace_id: "t" };
  return { error };
}

export function rethrown(init: ErrorInit): RefsyncError {
  return new RefsyncError("a test of my own", init);
}

// These must not compile.
// @ts-expect-error: the option is called apiUrl
new SyncClient({ apiURL: "http://127.0.0.1:8722" });
// @ts-expect-error: there is no such direction
void repos.syncUpstream({ repo: "app", direction: "sideways" });
// @ts-expect-error: the field is called ref_globs
void repos.syncUpstream({ repo: "app", direction: "pull", refGlobs: {} });
// @ts-expect-error: a run's stats are null until it has ended
export const count = (run: SyncRun): number => run.stats.refs.length;
