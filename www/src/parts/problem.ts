/** Reads errors, and shows them in place until the user dismisses them or tries again. */

import { type FieldError, RefsyncError } from "refsync";

import { button, fill, h } from "./dom";
import { icon } from "./icons";
import { foreign } from "./text";

/** A failure in the service's terms. */
export interface Problem {
  /** The service's stable word, such as `NOT_FOUND`. */
  code: string;
  /** The message: what is wrong and what to do. */
  message: string;
  /** Each bad field of the request, by its path, such as `ref_globs.branches`. */
  fields: readonly FieldError[];
  /** The `trace_id` for the operator. */
  traceId: string | null;
}

/** Reads an error of the client, or anything else that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RefsyncError) {
    const { code, message, fields, traceId } = error;
    return { code, message, fields, traceId: traceId ?? null };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "UNEXPECTED", message, fields: [], traceId: null };
}

/** A place for one problem. It takes no room if there is no problem. */
export class ProblemSlot {
  readonly element = h("div", { class: "problem-slot" });

  /** Shows `error`. With `retry` there is a button to try again. */
  show(error: unknown, doing: string, retry?: () => void): void {
    const { code, message, fields, traceId } = problemOf(error);
    const again = () => {
      this.clear();
      retry?.();
    };
    const alert = h(
      "div",
      { class: "notice notice-bad", role: "alert" },
      icon("warning"),
      h(
        "div",
        { class: "notice-text" },
        h("p", {}, h("strong", {}, doing), " ", h("code", { class: "code" }, code)),
        h("p", { class: "wrap" }, foreign(message, LONG_MESSAGE)),
        fields.length > 0 &&
          h("ul", {}, ...fields.map((bad) => h("li", {}, h("code", {}, bad.field), ": ", foreign(bad.message)))),
        traceId && h("p", { class: "muted" }, "Trace ", h("code", {}, traceId)),
      ),
      h(
        "div",
        { class: "notice-actions" },
        retry && button("Try again", again, { class: "button button-small" }),
        button("Dismiss", () => this.clear(), { class: "button button-small button-quiet" }),
      ),
    );
    fill(this.element, alert);
  }

  /** Removes the problem. */
  clear(): void {
    fill(this.element);
  }
}

const LONG_MESSAGE = 600;
