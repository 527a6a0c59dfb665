/** The product's sign and name. */

import { h } from "./dom";

/** The sign with the name, as a link to the start. */
export function wordmark(): HTMLElement {
  return h(
    "a",
    { class: "wordmark", href: "#/" },
    h("img", { src: "./favicon.svg", alt: "", width: 24, height: 24 }),
    "refsync",
  );
}
