/** The remotes' messages during a run: each text once, with the refs that it is about. */

import type { MessageSide, SyncRunRef, SyncRunStats } from "refsync";

import { type Child, h } from "../parts/dom";
import { foreign } from "../parts/text";
import { number } from "../parts/words";

const SPEAKERS: Record<MessageSide, string> = {
  source: "The source said",
  destination: "The destination said",
  refsync: "Note",
};

/** The messages of a run, or null if there are none. */
export function messages({ refs, messages = [] }: SyncRunStats): HTMLElement | null {
  if (messages.length === 0) return null;
  const entries = messages.flatMap(({ side, text }, index) => [
    h("h3", { class: "message-speaker" }, SPEAKERS[side] ?? side, ...about(refs, index)),
    h("pre", { class: "message-text", tabindex: "0" }, foreign(text, LONG_MESSAGE)),
  ]);
  return h("section", { class: "messages", "aria-label": "Messages" }, ...entries);
}

function about(refs: readonly SyncRunRef[], index: number): Child[] {
  const those = refs.filter((ref) => ref.message_index === index);
  const [first] = those;
  if (first === undefined) return [];
  return [" about ", those.length === 1 ? foreign(first.name) : `${number(those.length)} refs`];
}

const LONG_MESSAGE = 2_000;
