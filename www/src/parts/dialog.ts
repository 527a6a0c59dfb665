/** Modal dialogs, on the browser's own `<dialog>`: it keeps the focus inside, closes on Escape and gives the focus back. */

import { AbortError } from "refsync";

import { button, type Child, freshId, h, hold } from "./dom";
import { icon } from "./icons";
import { ProblemSlot } from "./problem";

interface DialogOptions {
  title: string;
  /** The text of the confirming button. */
  confirm: string;
  /** Whether confirming destroys something. */
  dangerous?: boolean;
  body: Child[];
  /** The heading of an error: `Could not create the repository`. */
  failure: string;
  /** Does the work. The dialog closes when it is done. If it throws, the dialog shows the error. */
  submit: () => Promise<void>;
  /** Whether the thrown error is shown elsewhere already. */
  handled?: (error: unknown) => boolean;
}

/** Opens a dialog. Returns its confirming button, for a caller that must disable it at first. */
export function openDialog(options: DialogOptions): HTMLButtonElement {
  const slot = new ProblemSlot();
  const titleId = freshId("dialog");
  const confirm = h(
    "button",
    { type: "submit", class: options.dangerous ? "button button-danger" : "button button-primary" },
    options.confirm,
  );
  const close = () => dialog.close();
  const cancel = button("Cancel", close);
  const submit = async () => {
    slot.clear();
    hold([confirm], true);
    form.setAttribute("aria-busy", "true");
    try {
      await options.submit();
      dialog.close();
    } catch (error) {
      if (error instanceof AbortError) dialog.close();
      else if (!options.handled?.(error)) slot.show(error, options.failure);
    } finally {
      hold([confirm], false);
      form.removeAttribute("aria-busy");
    }
  };
  const form = h(
    "form",
    {
      class: "dialog-form",
      on: {
        submit: (event) => {
          event.preventDefault();
          void submit();
        },
      },
    },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: titleId }, options.title),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: close } }, icon("cross")),
    ),
    ...options.body,
    slot.element,
    h("div", { class: "dialog-actions" }, cancel, confirm),
  );
  const closed = () => {
    dialog.remove();
    // The button that opened the dialog may have been redrawn meanwhile; then the focus was lost.
    if (document.activeElement === document.body) document.querySelector("h1")?.focus({ preventScroll: true });
  };
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": titleId, on: { close: closed } }, form);
  document.body.append(dialog);
  dialog.showModal();
  // The browser would focus the close button. The first field is better, or the cancel button if there is no field.
  (form.querySelector<HTMLElement>("input, select") ?? cancel).focus();
  return confirm;
}

/** Closes whatever dialog is open. */
export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll("dialog[open]")) (dialog as HTMLDialogElement).close();
}
