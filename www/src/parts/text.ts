/**
 * Foreign text, such as ref names, messages of hooks, and errors. It must not look like something else or fill the screen.
 *
 * Invisible characters, such as bidirectional controls and zero-width ones, are shown as their code. `h` and `fill` do this for all
 * text. `foreign` also isolates the direction of a text, and folds long texts.
 */

import { freshId } from "./ids";

/**
 * Characters that are invisible, or that change how others are drawn: controls, Unicode's ignorable characters, blanks other than
 * the space, the Braille blank, Hangul fillers, private-use characters, and marks that pile up on a letter. Characters that join
 * emoji are not included.
 */
const INVISIBLE =
  /(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d|\u200d(?!\p{Extended_Pictographic})|(?<!\p{Extended_Pictographic})\ufe0f|(?!\u200d|\ufe0f|[\t\n ])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{3})\p{M}/gu;

/** How many characters of a text show before it is folded. */
const LONG = 240;

/** The number of a character, such as `U+202E`. */
function numberOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * The text for a place that takes only plain text, such as a tooltip: invisible characters in brackets, and at most `limit`
 * characters.
 */
export function plain(text: string, limit = LONG): string {
  return cut(text, limit).replace(INVISIBLE, (character) => `[${numberOf(character)}]`);
}

/** The text as nodes, its invisible characters as marks. */
export function visible(text: string): (string | Node)[] {
  const nodes: (string | Node)[] = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(INVISIBLE)) {
    if (index > from) nodes.push(text.slice(from, index));
    const mark = document.createElement("span");
    mark.className = "invisible";
    mark.title = "A character that is not visible";
    mark.textContent = numberOf(character);
    nodes.push(mark);
    from = index + character.length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/** A foreign text. A press of a button shows the rest of a long one. */
export function foreign(text: string, limit = LONG): HTMLElement {
  const first = cut(text, limit);
  const isolated = document.createElement("bdi");
  isolated.append(...visible(first === text ? text : first.slice(0, -1)));
  if (first === text) return isolated;
  isolated.id = freshId("folded");
  const folded = document.createElement("span");
  folded.className = "folded";
  const more = document.createElement("button");
  more.type = "button";
  more.className = "unfold";
  more.setAttribute("aria-expanded", "false");
  more.setAttribute("aria-controls", isolated.id);
  const label = `… all ${new Intl.NumberFormat("en").format(text.length)} characters`;
  more.textContent = label;
  more.addEventListener("click", () => {
    const unfolds = more.getAttribute("aria-expanded") === "false";
    more.setAttribute("aria-expanded", String(unfolds));
    more.textContent = unfolds ? "show less" : label;
    isolated.replaceChildren(...visible(unfolds ? text : first.slice(0, -1)));
  });
  folded.append(isolated, more);
  return folded;
}

/** A foreign text within a link or a button. It cannot contain another button, so a long text is cut. */
export function foreignLine(text: string, limit = LONG): HTMLElement {
  const isolated = document.createElement("bdi");
  isolated.append(...visible(cut(text, limit)));
  return isolated;
}

/** At most `limit` characters. A longer text is cut and ends in an ellipsis. Never splits a character. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 2)) ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}
