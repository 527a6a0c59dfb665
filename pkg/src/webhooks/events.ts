/**
 * The events that the service sends.
 *
 * @module
 */
import type { CompletedRun, FailedRun, QueuedRun, Repo, RunningRun } from "../client/run.js";
import type { WhoamiOrg } from "../wasm/client/refsync.js";

/** Which repository an event is about. */
export interface EventRepository {
  /** Its id. */
  id: string;
  /** Its name, as it was then. */
  name: string;
  /** Its address. */
  url: string;
}

/** What every event has. */
export interface Envelope<Type extends string, Data> {
  /** The event's id, the same whenever it is sent again. */
  id: string;
  /** What happened. */
  type: Type;
  /** When it happened, RFC 3339 in UTC. */
  occurred_at: string;
  /** The organisation. */
  organization: WhoamiOrg;
  /** The repository; null where it is about none. */
  repository: EventRepository | null;
  /** What the type is about. */
  data: Data;
}

/** A repository in an event. */
export type EventRepo = Pick<Repo, "id" | "name" | "default_bookmark" | "head_change_id" | "created_at" | "tags">;

/** What an event says of a repository before and after a change. */
export type EventRepoState = Pick<Repo, "name" | "default_bookmark" | "tags">;

/** What an event of a sync is about. */
export interface SyncData<Run> {
  /** The run as it was then. */
  sync: Run;
}

/** What an event of a repository is about. */
export interface RepoData {
  /** The repository as it was then. */
  repo: EventRepo;
}

/** What the change of a repository is about. */
export interface RepoChangeData extends RepoData {
  /** What it was. */
  before: EventRepoState;
  /** What it is. */
  after: EventRepoState;
}

/** The data of each event, by its type. */
export interface EventData {
  /** A sync was asked for, or waits for its next attempt. */
  "sync.queued": SyncData<QueuedRun>;
  /** A worker has begun an attempt. */
  "sync.in_progress": SyncData<RunningRun>;
  /** A sync has ended with its work done. */
  "sync.completed": SyncData<CompletedRun>;
  /** A sync has ended without its work done. */
  "sync.failed": SyncData<FailedRun>;
  /** A repository was made. */
  "repo.created": RepoData;
  /** A repository was changed. */
  "repo.updated": RepoChangeData;
  /** A repository was deleted. */
  "repo.deleted": RepoData;
}

/** An event that this version knows. */
export type KnownEvent = { [Type in keyof EventData]: Envelope<Type, EventData[Type]> }[keyof EventData];

/** An event, perhaps one of tomorrow: ask for its `type` with {@link isKnown} before its data. */
export type WebhookEvent = KnownEvent | Envelope<string, unknown>;

/** Whether this version knows the event's type, and so its data. */
export function isKnown(event: WebhookEvent): event is KnownEvent {
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
} satisfies Record<keyof EventData, true>;
