/** Form fields with a label, a hint and, when the service refuses the value, its reason. */

import { type Child, fill, freshId, h } from "./dom";
import type { Problem } from "./problem";
import { foreign } from "./text";

/** One labelled control. */
export interface Field {
  /** The field's path in the request, such as `upstream.url`. */
  path: string;
  /** Label, control, hint and reason. */
  element: HTMLElement;
  /** The control. */
  input: HTMLInputElement | HTMLSelectElement;
  /** Shows why the value is refused; null removes the message. */
  refuse(reason: string | null): void;
}

interface InputOptions {
  hint?: Child;
  type?: string;
  value?: string;
  placeholder?: string;
  required?: boolean;
  autocomplete?: string;
  code?: boolean;
}

/** A line of text. */
export function inputField(path: string, label: string, options: InputOptions = {}): Field {
  const input = h("input", {
    id: freshId("field"),
    name: path,
    type: options.type ?? "text",
    value: options.value ?? "",
    placeholder: options.placeholder,
    required: options.required,
    autocomplete: options.autocomplete ?? "off",
    class: options.code ? "input input-code" : "input",
    spellcheck: "false",
    autocapitalize: "off",
  });
  return field(path, label, input, options.hint);
}

/** A choice. */
export function selectField(
  path: string,
  label: string,
  choices: [value: string, text: string][],
  hint?: Child,
): Field {
  const select = h("select", { id: freshId("field"), name: path, class: "input" });
  select.append(...choices.map(([value, text]) => h("option", { value }, text)));
  return field(path, label, select, hint);
}

function field(path: string, label: string, input: Field["input"], hint: Child): Field {
  const hintId = freshId("hint");
  const reasonId = freshId("reason");
  const reason = h("p", { class: "field-reason", id: reasonId, role: "alert" });
  input.setAttribute("aria-describedby", `${hintId} ${reasonId}`);
  const refuse = (text: string | null) => {
    fill(reason, text !== null && foreign(text));
    if (text === null) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
  };
  input.addEventListener("input", () => refuse(null));
  const element = h("div", { class: "field" }, h("label", { for: input.id }, label), input);
  const described = h("p", { class: "hint", id: hintId });
  fill(described, hint);
  element.append(reason, described);
  return { path, element, input, refuse };
}

/**
 * Shows the reason of each bad field next to its control, and focuses the first one. Returns whether every bad field has a
 * control: then no other message is needed.
 */
export function refuseFields(fields: readonly Field[], problem: Problem): boolean {
  let first: Field | undefined;
  let all = problem.fields.length > 0;
  for (const bad of problem.fields) {
    const field = fields.find(({ path }) => path === bad.field);
    field?.refuse(bad.message);
    first ??= field;
    all &&= field !== undefined;
  }
  first?.input.focus();
  return all;
}
