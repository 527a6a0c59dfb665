// Everything that `refsync/webhooks` exports, as a receiver uses it.
import {
  type Answer,
  type CompletedRun,
  type DivergedData,
  type Envelope,
  type EventData,
  type EventRepo,
  type EventRepoState,
  type EventRepository,
  type FailedRun,
  type Handlers,
  type HeldData,
  isKnown,
  type KnownEvent,
  type NodeMiddlewareOptions,
  type NodeRequest,
  type NodeResponse,
  nodeMiddleware,
  type PausedData,
  type PushData,
  type PushUpdate,
  type QueuedRun,
  type RawBody,
  type RepoChangeData,
  type RepoData,
  type RunningRun,
  type SyncData,
  signTestPayload,
  type UnknownEvent,
  WebhookError,
  type WebhookEvent,
  type WebhookOptions,
  Webhooks,
} from "refsync/webhooks";

/** A type narrows the data, without a cast. */
export function describe(event: WebhookEvent): string {
  const at: EventRepository | null = event.repository;
  switch (event.type) {
    case "sync.completed": {
      const run: CompletedRun = event.data.sync;
      return `${at?.name}: ${run.stats?.refs.length}`;
    }
    case "sync.failed": {
      const run: FailedRun = event.data.sync;
      return run.error;
    }
    case "sync.queued": {
      const run: QueuedRun = event.data.sync;
      return run.id;
    }
    case "sync.in_progress": {
      const run: RunningRun = event.data.sync;
      return run.started_at;
    }
    case "repo.updated": {
      const { repo, before, after }: RepoChangeData = event.data;
      const whole: EventRepo = repo;
      const states: EventRepoState[] = [before, after];
      return whole.name + states.map(({ name }) => name).join(", ");
    }
    case "repo.created":
    case "repo.deleted": {
      const { repo }: RepoData = event.data;
      return repo.id;
    }
    case "upstream.held": {
      const { direction, count, refs }: HeldData = event.data;
      return `${direction}: ${count} refs, such as ${refs[0]?.name}`;
    }
    case "push": {
      const { updates, reconciliation }: PushData = event.data;
      const names = updates.map(({ ref, action }: PushUpdate) => `${ref} was ${action}`);
      return `${names.join(", ")} ${reconciliation.reconciled_commit_count}`;
    }
    case "upstream.diverged": {
      const { direction, count, refs }: DivergedData = event.data;
      return `${direction}: ${count} refs, such as ${refs[0]}`;
    }
    case "upstream.stale":
    case "upstream.recovered":
      return `${event.data.fresh}: ${event.data.verified_at}`;
    case "upstream.paused": {
      const { paused_at, reason }: PausedData = event.data;
      return `${paused_at}: ${reason}`;
    }
    default:
      return "a type of tomorrow";
  }
}

export function known(event: WebhookEvent | UnknownEvent): KnownEvent | undefined {
  return isKnown(event) ? event : undefined;
}

export const completed: Envelope<"sync.completed", EventData["sync.completed"]>[] = [];
export const data: SyncData<CompletedRun>[] = completed.map((event) => event.data);

const on: Handlers = {
  "sync.failed": ({ data }) => console.error(data.sync.error),
  other: ({ type }) => console.log(type),
};
const options: WebhookOptions = { secret: "whsec", on, onError: (error, event) => console.error(error, event.id) };
export const webhooks = new Webhooks(options);

const where: NodeMiddlewareOptions = { path: "/hooks" };
export const middleware: (request: NodeRequest, response: NodeResponse) => Promise<void> = nodeMiddleware(
  webhooks,
  where,
);

export const answered: (body: RawBody, signature: string) => Promise<Answer> = (body, signature) =>
  webhooks.answer(body, signature);

export async function tested(body: RawBody): Promise<string> {
  try {
    const { id } = await webhooks.verify(body, await signTestPayload(body, "whsec", { timestamp: 1 }));
    return id;
  } catch (error) {
    if (error instanceof WebhookError) return error.code;
    throw error;
  }
}
