/**
 * Receives the service's webhooks in any runtime: checks their signature, parses them, and calls your handlers.
 *
 * ```ts
 * import { Webhooks } from "refsync/webhooks";
 *
 * const webhooks = new Webhooks({
 *   secret: process.env.WEBHOOK_SECRET ?? "",
 *   on: {
 *     "sync.completed": ({ data }) => console.log(data.sync.stats.refs.length),
 *     "sync.failed": ({ data }) => console.error(data.sync.error),
 *   },
 * });
 *
 * export default { fetch: (request: Request) => webhooks.respond(request) };
 * ```
 *
 * @module refsync/webhooks
 */

export type { CompletedRun, FailedRun, QueuedRun, RunningRun } from "./client/run.js";
export type {} from "./globals.js";
export {
  type DivergedData,
  type Envelope,
  type EventData,
  type EventRepo,
  type EventRepoState,
  type EventRepository,
  type HeldData,
  isKnown,
  type KnownEvent,
  type PausedData,
  type PushData,
  type PushUpdate,
  type RepoChangeData,
  type RepoData,
  type SyncData,
  type UnknownEvent,
  type WebhookEvent,
} from "./webhooks/events.js";
export { type NodeMiddlewareOptions, type NodeRequest, type NodeResponse, nodeMiddleware } from "./webhooks/node.js";
export { type RawBody, signTestPayload } from "./webhooks/signature.js";
export { WebhookError } from "./webhooks/webhook-error.js";
export { type Answer, type Handlers, type WebhookOptions, Webhooks } from "./webhooks/webhooks.js";
