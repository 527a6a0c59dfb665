/**
 * An event as a sentence for people, for webhook targets with a `format`.
 *
 * @module
 */
import type { EventData, KnownEvent } from "../webhooks/events.js";

/** The formats of webhook targets. */
export type Format = "slack" | "discord" | "ntfy";

/** The body of a delivery. `json` is an event. */
export function deliveryFor(format: Format, json: string): string {
  const text = sentence(JSON.parse(json));
  if (format === "ntfy") return text;
  if (format === "slack") {
    // Slack reads links and mentions between < and >.
    return JSON.stringify({ text: text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;") });
  }
  // Discord reads Markdown. Without `allowed_mentions`, a name such as @everyone would notify people.
  return JSON.stringify({ content: text.replace(/[\\*_~`|<>[\]()#]/g, "\\$&"), allowed_mentions: { parse: [] } });
}

function sentence(event: KnownEvent): string {
  const { organization, repository } = event;
  const name = repository === null ? organization.slug : `${organization.slug}/${repository.name}`;
  const text = `${name}${saying(event)}`.replace(/\p{Cc}+/gu, " ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function saying({ type, data }: KnownEvent): string {
  switch (type) {
    case "sync.queued": {
      const { direction, attempt } = data.sync;
      return `: a ${direction} ${attempt === 1 ? "is queued" : "has failed for now, and is tried again"}.`;
    }
    case "sync.in_progress":
      return `: a ${data.sync.direction} has begun.`;
    case "sync.completed": {
      const { direction, counts } = data.sync;
      const results =
        counts === undefined ? "" : `: ${refs(counts.updated)} updated, ${refs(counts.rejected)} rejected`;
      return `: a ${direction} has completed${results}.`;
    }
    case "sync.failed":
      return `: a ${data.sync.direction} has failed: ${data.sync.error}`;
    case "repo.created":
      return " was created.";
    case "repo.updated":
      return " was changed.";
    case "repo.deleted":
      return " was deleted.";
    case "push": {
      const moved = { count: data.updates.length, refs: data.updates };
      return `: ${refs(moved.count)} changed by a push: ${named(moved, ({ ref, action }) => `${ref} (${action})`)}`;
    }
    case "upstream.held":
      return `: ${refs(data.count)} cannot move without an approval: ${named(data, ({ name }) => name)}`;
    case "upstream.diverged":
      return `: ${refs(data.count)} diverged and did not move: ${named(data, (name) => name)}`;
    case "upstream.stale":
      return ` is stale: it may be ${data.max_age} old at most. ${verified(data)}`;
    case "upstream.recovered":
      return ` is fresh again. ${verified(data)}`;
    case "upstream.paused":
      return `: the schedule is paused: ${data.reason}`;
    default:
      return `: ${type satisfies never}`;
  }
}

function refs(count: number): string {
  return count === 1 ? "1 ref" : `${count} refs`;
}

function named<T>({ count, refs }: { count: number; refs: T[] }, nameOf: (ref: T) => string): string {
  return refs.slice(0, NAMED).map(nameOf).join(", ") + (count > NAMED ? ", …" : ".");
}

function verified({ verified_at }: EventData["upstream.stale"]): string {
  return verified_at === null ? "It was never verified." : `It was last verified at ${verified_at}.`;
}

/** How many refs a sentence names. */
const NAMED = 5;
/** The most characters. Discord takes 2,000, and each may get a backslash. */
const LONGEST = 900;
