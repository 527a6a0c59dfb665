/**
 * Builds elements. Data only ever enters as text or as an attribute's value, never as markup, so a ref name or an error
 * message cannot become HTML.
 */

/** What an element can hold; null, undefined and false are left out. */
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
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  fill(element, ...children);
  return element;
}

/** Replaces what `parent` holds. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren(...children.filter(present).map((child) => (child instanceof Node ? child : String(child))));
}

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

let lastId = 0;

/** An id that nothing else in the document has, to tie a label or a description to its control. */
export function freshId(stem: string): string {
  lastId += 1;
  return `${stem}-${lastId}`;
}
