/** Text that can be copied with a button. */

import { fill, h } from "./dom";
import { icon } from "./icons";
import { foreignLine } from "./text";

const live = h("div", { class: "toast", role: "status", "aria-live": "polite" });
let hide: ReturnType<typeof setTimeout> | undefined;

/** Copies `text` and says so. */
export async function copy(text: string): Promise<void> {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers have no clipboard for a page that came over plain HTTP from another host.
    done = copyBySelection(text);
  }
  document.body.append(live);
  fill(live, done ? "Copied " : "This browser does not let the page copy. It is ", foreignLine(text));
  live.classList.add("toast-shown");
  clearTimeout(hide);
  hide = setTimeout(() => live.classList.remove("toast-shown"), 2500);
}

/** A button that shows `label`, has `text` as its tooltip, and copies `text`. */
export function copyButton(label: string, text: string, what: string): HTMLButtonElement {
  return h(
    "button",
    {
      type: "button",
      class: "copy",
      title: text,
      "aria-label": `${label}, copy ${what}`,
      on: { click: () => void copy(text) },
    },
    foreignLine(label),
    icon("copy"),
  );
}

function copyBySelection(text: string): boolean {
  const area = h("textarea", { class: "visually-hidden" });
  area.value = text;
  // While a dialog is open, text outside of it cannot be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
