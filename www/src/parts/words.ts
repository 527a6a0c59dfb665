/** Words of the service, translated for users. */

import type { AuthKind, Direction, Outcome, Phase, Progress, SyncRun, SyncRunRef, UpstreamPolicy } from "refsync";

import { h } from "./dom";
import { type Icon, icon } from "./icons";

/** The outcomes. Those that need attention come first. */
export const OUTCOMES: readonly Outcome[] = ["rejected", "updated", "filtered", "unchanged"];

const OUTCOME_ICONS: Record<Outcome, Icon> = {
  rejected: "cross",
  updated: "check",
  filtered: "filter",
  unchanged: "equal",
};

/** What each outcome means, for a tooltip. */
export const OUTCOME_MEANING: Record<Outcome, string> = {
  rejected: "left as it was: it diverged, the tag would have moved, or the destination refused it",
  updated: "created or fast-forwarded at the destination",
  filtered: "matched the globs, but is left out on purpose",
  unchanged: "the destination already had it",
};

const REASONS: Record<string, string> = {
  non_fast_forward: "Diverged: the destination has commits that the source does not have",
  tag_moved: "The tag already points elsewhere at the destination",
  symbolic_ref: "A symbolic ref",
  excluded: "A rule of the upstream excludes it",
  protected: "Protected at the destination",
  hook_declined: "A hook at the destination declined it",
  name_conflict: "Its name collides with another ref of the destination",
  invalid_name: "Not a valid ref name",
  lease_lost: "The destination moved it meanwhile",
  missing_objects: "Objects that it needs are damaged or missing",
  atomic_push_failed: "Another ref was rejected, and all move or none",
  held: "Rewritten, moved or deleted at the source: approve it under Held refs, then sync",
  remote_refused: "The destination refused it",
};

/** Why a ref was filtered or rejected, as a sentence; null when there is no reason. */
export function reasonText(ref: SyncRunRef): string | null {
  if (!ref.reason) return null;
  return REASONS[ref.reason] ?? ref.reason.replaceAll("_", " ");
}

const ADVICE: Record<string, string> = {
  non_fast_forward:
    "Merge the commits at the source. Or let the upstream's policy follow with a backup, or hold the ref.",
  tag_moved: "Delete one of the two tags. Or let the upstream's policy follow with a backup.",
  protected: "Allow the user of the credential to push there, or exclude the ref.",
  hook_declined: "Read the messages of this run.",
  name_conflict: "Rename or delete one of the two refs.",
  invalid_name: "Rename the ref at the source.",
  lease_lost: "Sync again.",
  missing_objects: "Run git fsck at the source, and push the missing objects.",
  atomic_push_failed: "Look at the other rejected refs.",
  remote_refused: "Read the destination's words here, and the messages of this run.",
};

/** What to do about a rejected ref; null if there is nothing to say. */
export function adviceText(ref: SyncRunRef): string | null {
  return (ref.outcome === "rejected" && ref.reason && ADVICE[ref.reason]) || null;
}

/** What a policy does with rewritten refs. */
export function policyText({ on_diverged, prune_max, atomic }: UpstreamPolicy): string {
  const what = {
    reject: "it stays as it is here",
    backup_and_force: "it follows, and the old commit is kept",
    hold: "it waits for an approval",
  }[on_diverged];
  const deleted = prune_max === null ? "" : `; at most ${number(prune_max)} deleted refs follow`;
  return `${what ?? on_diverged}${deleted}${atomic ? "; all refs move or none" : ""}`;
}

/** `Rejected`, for `rejected`. */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The outcome as a mark with its word. */
export function outcomeMark(outcome: Outcome): HTMLElement {
  return h("span", { class: `outcome outcome-${outcome}` }, outcomeIcon(outcome), capital(outcome));
}

/** The outcome's icon. */
export function outcomeIcon(outcome: Outcome): SVGSVGElement {
  return icon(OUTCOME_ICONS[outcome] ?? "equal");
}

// A run is shown in several places, and each is redrawn with every change. So its refs are counted only once.
const counted = new WeakMap<readonly SyncRunRef[], Readonly<Record<Outcome, number>>>();

/** How many refs ended each way. */
export function countOutcomes(refs: readonly SyncRunRef[]): Readonly<Record<Outcome, number>> {
  const known = counted.get(refs);
  if (known) return known;
  const counts: Record<Outcome, number> = { rejected: 0, updated: 0, filtered: 0, unchanged: 0 };
  for (const ref of refs) counts[ref.outcome] += 1;
  counted.set(refs, counts);
  return counts;
}

/** The number of refs for each outcome of a run; null if the run has no outcomes. A list leaves out the refs of large runs. */
export function countsOf({ stats, counts }: SyncRun): Readonly<Record<Outcome, number>> | null {
  return stats ? countOutcomes(stats.refs) : (counts ?? null);
}

/** `2 rejected, 10 updated`: the outcomes that happened. */
export function countsText(counts: Readonly<Record<Outcome, number>>): string {
  const parts = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((o) => `${number(counts[o])} ${o}`);
  return parts.length > 0 ? parts.join(", ") : "no ref matched";
}

const NUMBER = new Intl.NumberFormat("en");

/** A number with thousands separators. */
export function number(count: number): string {
  return NUMBER.format(count);
}

/** A run's status as a badge. A completed run with refused refs does not look like an unblemished one. */
export function statusBadge(run: SyncRun): HTMLElement {
  const badge = (tone: string, name: Icon, text: string) =>
    h("span", { class: `badge badge-${tone}` }, icon(name), text);
  switch (run.status) {
    case "queued":
      return badge("quiet", "clock", "Queued");
    case "in_progress":
      return badge("busy", "spinner", "In progress");
    case "failed":
      return run.error === "cancelled" ? badge("quiet", "cross", "Cancelled") : badge("bad", "cross", "Failed");
    case "completed": {
      const rejected = countsOf(run)?.rejected ?? 0;
      return rejected > 0
        ? badge("warn", "warning", `Completed, ${number(rejected)} rejected`)
        : badge("good", "check", "Completed");
    }
  }
}

const PHASES: Record<Phase, string> = {
  listing: "Asking both sides for their refs",
  proving: "Proving that updates are fast-forwards",
  transferring: "Transferring",
  storing: "The destination stores the objects",
};

/** How far a run is, in one line. */
export function progressText({ phase, bytes, objects, bytes_per_second: rate }: Progress): string {
  const parts = [PHASES[phase] ?? phase];
  if (objects !== null) parts.push(`${number(objects)} objects`);
  if (bytes > 0) parts.push(`${bytesText(bytes)} through`);
  if (rate) parts.push(`${bytesText(rate)}/s`);
  return parts.join(" · ");
}

/** `4.2 MB`, of 1,000,000 bytes. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let at = 0;
  for (; bytes >= 1000 && at < units.length - 1; at += 1) bytes /= 1000;
  return `${at === 0 ? bytes : bytes.toFixed(1)} ${units[at]}`;
}

/** `Pull` or `Push`, with its arrow. */
export function directionMark(direction: Direction): HTMLElement {
  return h("span", { class: "direction" }, icon(direction), capital(direction));
}

/** A run's globs in one line. */
export function globsText(run: SyncRun): string {
  const { branches, tags } = run.ref_globs;
  return `branches ${branches || "none"} · tags ${tags || "none"}`;
}

/** The kind of the stored credential. */
export function authText(kind: AuthKind | null): string {
  if (kind === "token") return "Token, stored encrypted";
  if (kind === "username_password") return "User name and password, stored encrypted";
  return "None, the remote is public";
}
