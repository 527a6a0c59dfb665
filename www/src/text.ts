/**
 * Text of others, such as ref names, the words of hooks, and errors: it must not look like something else, nor fill the screen.
 *
 * Characters that nobody sees, such as bidirectional controls and zero-width ones, show as their number. `h` and `fill` do that with
 * all text. `foreign` also keeps the direction of a text to itself, and folds a long one.
 */

import { freshId } from "./ids";

/**
 * Characters that leave no mark, or change how others are drawn: controls, what Unicode calls ignorable, blanks other than the
 * space, Braille's blank, the fillers of Hangul, private ones, and marks that pile up on a letter. What joins emoji is none.
 */
const INVISIBLE =
  /(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d|\u200d(?!\p{Extended_Pictographic})|(?<!\p{Extended_Pictographic})\ufe0f|(?!\u200d|\ufe0f|[\t\n ])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{3})\p{M}/gu;

/** How many characters of a text show before it is folded. */
const LONG = 240;

/** The number of a character, such as `U+202E`. */
function numberOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The text for a place that has only text, such as a tooltip: invisible characters in brackets, and at most `limit` characters. */
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

/** A text of others. The rest of a long one shows at a press. */
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

/** A text of others within a link or a button, where there is no place for another one: a long one is cut. */
export function foreignLine(text: string, limit = LONG): HTMLElement {
  const isolated = document.createElement("bdi");
  isolated.append(...visible(cut(text, limit)));
  return isolated;
}

/** At most `limit` characters, the last of them then an ellipsis. No character is cut in two. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 2)) ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}
