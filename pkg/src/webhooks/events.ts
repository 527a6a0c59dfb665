/**
 * The events that the service sends.
 *
 * @module
 */
import type { CompletedRun, FailedRun, QueuedRun, Repo, RunningRun } from "../client/run.js";
import type { Direction, Freshness, HeldMove, WhoamiOrg } from "../wasm/client/refsync.js";

/** The repository of an event. */
export interface EventRepository {
  /** Its id. */
  id: string;
  /** Its name at that time. */
  name: string;
  /** Its address. */
  url: string;
}

/** The fields of every event. */
export interface Envelope<Type extends string, Data> {
  /** The event's id. It stays the same if the event is sent again. */
  id: string;
  /** The type of the event. */
  type: Type;
  /** When it happened, RFC 3339 in UTC. */
  occurred_at: string;
  /** The organisation. */
  organization: WhoamiOrg;
  /** The repository; null if the event is not about one. */
  repository: EventRepository | null;
  /** The data of this type. */
  data: Data;
}

/** A repository in an event. */
export type EventRepo = Pick<Repo, "id" | "name" | "default_bookmark" | "head_change_id" | "created_at" | "tags">;

/** The state of a repository before or after a change. */
export type EventRepoState = Pick<Repo, "name" | "default_bookmark" | "tags">;

/** The data of a sync's event. */
export interface SyncData<Run> {
  /** The run at that time. */
  sync: Run;
}

/** The data of a repository's event. */
export interface RepoData {
  /** The repository at that time. */
  repo: EventRepo;
}

/** The data of a repository's change. */
export interface RepoChangeData extends RepoData {
  /** The state before. */
  before: EventRepoState;
  /** The state after. */
  after: EventRepoState;
}

/** Moves of refs that wait for an approval from now on. */
export interface HeldData {
  /** The direction of the sync that found them. */
  direction: Direction;
  /** How many there are. */
  count: number;
  /** The first 100 of them, by name. */
  refs: HeldMove[];
}

/** A branch or a tag that a push has changed. */
export interface PushUpdate {
  /** The full ref name. */
  ref: string;
  /** Its short name. */
  bookmark: string;
  /** The object id before; null if the push has created it. */
  before: string | null;
  /** The object id now; null if the push has deleted it. */
  after: string | null;
  /** The change. */
  action: "created" | "updated" | "deleted";
}

/** The data of a push into a repository. */
export interface PushData {
  /** The branches and tags that have changed, at most 1,000. A larger push is several events. */
  updates: PushUpdate[];
  /** Numbers of the public API about changes of Jujutsu. All are 0 in events of refsync. */
  reconciliation: Record<string, number>;
}

/** Refs that have diverged from now on. */
export interface DivergedData {
  /** The direction of the sync that found them. */
  direction: Direction;
  /** How many there are. */
  count: number;
  /** The full names of the first 100 of them, by name. */
  refs: string[];
}

/** A schedule that is paused from now on. */
export interface PausedData {
  /** When it was paused, RFC 3339 in UTC. */
  paused_at: string;
  /** Why it was paused. */
  reason: string;
}

/** The data of each event, by its type. */
export interface EventData {
  /** A sync was requested, or it waits for its next attempt. */
  "sync.queued": SyncData<QueuedRun>;
  /** A worker has begun an attempt. */
  "sync.in_progress": SyncData<RunningRun>;
  /** A sync has completed. */
  "sync.completed": SyncData<CompletedRun>;
  /** A sync has failed. */
  "sync.failed": SyncData<FailedRun>;
  /** A repository was made. */
  "repo.created": RepoData;
  /** A repository was changed. */
  "repo.updated": RepoChangeData;
  /** A repository was deleted. */
  "repo.deleted": RepoData;
  /** A sync has found moves that wait for an approval. */
  "upstream.held": HeldData;
  /** Somebody has pushed to a hosted repository. */
  push: PushData;
  /** A sync has found refs that cannot move forward. */
  "upstream.diverged": DivergedData;
  /** A repository is older than its upstream's `max_age`. */
  "upstream.stale": Freshness;
  /** A repository was stale, and is fresh again. */
  "upstream.recovered": Freshness;
  /** A schedule is paused, because the upstream refuses the credential. */
  "upstream.paused": PausedData;
}

/** An event that this version knows. */
export type KnownEvent = { [Type in keyof EventData]: Envelope<Type, EventData[Type]> }[keyof EventData];

/**
 * An event. Compare its `type` to narrow its `data`. A service that is newer than this version may send other types, too, which compilers
 * do not see: have a default case, and see {@link isKnown}.
 */
export type WebhookEvent = KnownEvent;

/** An event whose type is newer than this version. */
export type UnknownEvent = Envelope<string, unknown>;

/**
 * Whether this version knows the event's type, and so its data.
 *
 * @example
 * ```ts
 * import { isKnown, type UnknownEvent, type WebhookEvent } from "refsync/webhooks";
 *
 * function name(event: WebhookEvent | UnknownEvent) {
 *   return isKnown(event) ? event.type : "an event of a newer service";
 * }
 * ```
 */
export function isKnown(event: WebhookEvent | UnknownEvent): event is KnownEvent {
  return Object.hasOwn(knownEvents, event.type);
}

/** All types of events that this version knows. */
export const knownEvents = {
  "sync.queued": true,
  "sync.in_progress": true,
  "sync.completed": true,
  "sync.failed": true,
  "repo.created": true,
  "repo.updated": true,
  "repo.deleted": true,
  "upstream.held": true,
  push: true,
  "upstream.diverged": true,
  "upstream.stale": true,
  "upstream.recovered": true,
  "upstream.paused": true,
} satisfies Record<keyof EventData, true>;
