/**
 * A typed client of the sync REST API.
 *
 * ```ts
 * import { SyncClient } from "refsync";
 *
 * const client = new SyncClient({ apiUrl: "http://127.0.0.1:8722", apiKey: "…" });
 * const run = await client.repos.syncUpstream({ repo: "app", direction: "pull" });
 * const { stats } = await client.syncs.wait(run);
 * ```
 *
 * @module refsync
 */

export type { Credential } from "./client/credential.js";
export type { Paged } from "./client/paged.js";
export { Repos } from "./client/repos.js";
export type {
  CompletedRun,
  EndedRun,
  Ensured,
  FailedRun,
  ListedCompletedRun,
  QueuedRun,
  Repo,
  RepoPage,
  RunningRun,
  SyncRun,
  SyncRunPage,
  Upstream,
  WholeRun,
} from "./client/run.js";
export type { CallOptions } from "./client/send.js";
export { type ClientOptions, SyncClient } from "./client/sync-client.js";
export { type RunName, Syncs, type WaitOptions, type WatchOptions } from "./client/syncs.js";
export { WebhookTargets } from "./client/webhook-targets.js";
export {
  AbortError,
  ConflictError,
  ConnectionError,
  type ErrorInit,
  ForbiddenError,
  InvalidRequestError,
  InvalidResponseError,
  NotFoundError,
  RateLimitedError,
  RefsyncError,
  ServerError,
  TimeoutError,
  UnauthenticatedError,
} from "./errors.js";
export type {} from "./globals.js";
export type { Fetch } from "./host.js";
export type {
  ApiError,
  ApproveHeldRequest,
  ApproveRequest,
  AuthKind,
  Backup,
  Backups,
  ClientSettings,
  CreateRepoRequest,
  CreateWebhookTargetRequest,
  DeleteResult,
  Direction,
  EnsureCommitRequest,
  EnsureRequest,
  ErrorBody,
  ErrorDetails,
  FieldError,
  Freshness,
  FreshnessRequest,
  HeldMove,
  HeldRef,
  HeldRefs,
  ListBackupsRequest,
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
  PageRequest,
  Phase,
  PolicyRequest,
  Progress,
  Reason,
  RefGlobs,
  RepoPath,
  Restored,
  RestoreRefRequest,
  RestoreRequest,
  Schedule,
  ScheduleRequest,
  SyncPath,
  SyncRequest,
  SyncRunMessage,
  SyncRunRef,
  SyncRunStats,
  SyncStatus,
  SyncUpstreamRequest,
  UpdateRepoRequest,
  UpdateWebhookTargetRequest,
  UpstreamAuth,
  UpstreamHook,
  UpstreamHookSecret,
  UpstreamPolicy,
  UpstreamRequest,
  UpstreamUpdate,
  WaitTarget,
  WebhookFormat,
  WebhookTarget,
  WebhookTargetPage,
  WebhookTargetPath,
  WebhookTargetSecret,
  Whoami,
  WhoamiOrg,
} from "./wasm/client/refsync.js";
export type { WasmSource } from "./wasm/load.js";
