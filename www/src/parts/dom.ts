/**
 * Builds elements. Data only ever enters as text or as an attribute's value, never as markup, so a ref name or an error
 * message cannot become HTML. Its invisible characters show (`text.ts`).
 */

import { plain, visible } from "./text";

export { freshId } from "./ids";

/** A child of an element. Null, undefined and false are left out. */
export type Child = Node | string | number | null | undefined | false;

type Handlers = { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

interface Attributes {
  on?: Handlers;
  [name: string]: string | number | boolean | null | undefined | Handlers;
}

/** An element with attributes (true is an empty one, null and false leave it out), listeners (`on`) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "object") {
      for (const [type, handler] of Object.entries(value)) element.addEventListener(type, handler as EventListener);
    } else {
      const text = value === true ? "" : String(value);
      element.setAttribute(name, READ_OUT.has(name) ? plain(text, MOST_READ_OUT) : text);
    }
  }
  fill(element, ...children);
  return element;
}

/** Replaces the children of `parent`. */
export function fill(parent: Element, ...children: Child[]): void {
  const nodes = children.filter(present).flatMap((child) => (child instanceof Node ? [child] : visible(String(child))));
  parent.replaceChildren(...nodes);
}

/**
 * Draws a part of the page anew. If the focus was in it, moves the focus to the control that replaces the focused one. If there is
 * none, moves it to `otherwise`, or to the part itself.
 */
export function redraw(parent: HTMLElement, draw: () => void, otherwise?: () => HTMLElement | null): void {
  const focused = document.activeElement;
  const hadFocus = focused instanceof HTMLElement && focused !== parent && parent.contains(focused);
  const name = hadFocus ? nameOf(focused) : "";
  draw();
  if (!hadFocus || parent.contains(document.activeElement)) return;
  const controls = [...parent.querySelectorAll<HTMLElement>("a[href], button:enabled, input:enabled, select:enabled")];
  const same = controls.find((control) => nameOf(control) === name) ?? otherwise?.() ?? parent;
  if (same === parent) parent.tabIndex = -1;
  same.focus({ preventScroll: true });
}

/** The name of a control. */
function nameOf(control: HTMLElement): string {
  return control.getAttribute("aria-label") ?? control.textContent ?? "";
}

/**
 * Ignores presses of these buttons, or stops ignoring them. A `disabled` button would lose the focus, and keyboard users would lose
 * their place.
 */
export function hold(buttons: readonly HTMLButtonElement[], isHeld: boolean): void {
  for (const held of buttons) {
    if (isHeld) held.setAttribute("aria-disabled", "true");
    else held.removeAttribute("aria-disabled");
  }
}

// The Enter key in a field presses the form's button, too.
document.addEventListener(
  "click",
  (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("button[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);

/** The attributes that people read or hear. */
const READ_OUT = new Set(["title", "aria-label", "placeholder", "alt"]);
const MOST_READ_OUT = 2_000;

function present(child: Child): child is Node | string | number {
  return child !== null && child !== undefined && child !== false;
}

/** A push button. */
export function button(
  label: Child,
  press: () => void,
  attributes: Attributes = {},
  ...more: Child[]
): HTMLButtonElement {
  return h("button", { type: "button", class: "button", ...attributes, on: { click: press } }, label, ...more);
}
