/** What went wrong, read from whatever was thrown, and how it is shown: in place, until it is dismissed or tried again. */

import { type FieldError, RefsyncError } from "refsync";

import { button, fill, h } from "./dom";
import { icon } from "./icons";
import { foreign } from "./text";

/** A failure in the service's terms. */
export interface Problem {
  /** The service's stable word, such as `NOT_FOUND`. */
  code: string;
  /** What is wrong and what to do. */
  message: string;
  /** Each bad field of the request, by its path, such as `ref_globs.branches`. */
  fields: readonly FieldError[];
  /** What to quote to the operator. */
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

/** A place for one problem; it takes no room while there is none. */
export class ProblemSlot {
  readonly element = h("div", { class: "problem-slot" });

  /** Shows `error`; `retry` gives it a button that tries again. */
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

  /** Takes the problem away. */
  clear(): void {
    fill(this.element);
  }
}

const LONG_MESSAGE = 600;
