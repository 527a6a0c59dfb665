/** What the remotes said during a run: each text once, and about which refs. */

import type { MessageSide, SyncRunRef, SyncRunStats } from "refsync";

import { h } from "./dom";
import { number } from "./words";

const SPEAKERS: Record<MessageSide, string> = {
  source: "The source said",
  destination: "The destination said",
  refsync: "Note",
};

/** The messages of a run, or null if there are none. */
export function messages({ refs, messages = [] }: SyncRunStats): HTMLElement | null {
  if (messages.length === 0) return null;
  const entries = messages.flatMap(({ side, text }, index) => [
    h("h3", { class: "message-speaker" }, `${SPEAKERS[side] ?? side}${about(refs, index)}`),
    h("pre", { class: "message-text", tabindex: "0" }, text),
  ]);
  return h("section", { class: "messages", "aria-label": "Messages" }, ...entries);
}

function about(refs: readonly SyncRunRef[], index: number): string {
  const those = refs.filter((ref) => ref.message_index === index);
  const [first] = those;
  if (first === undefined) return "";
  return those.length === 1 ? ` about ${first.name}` : ` about ${number(those.length)} refs`;
}
