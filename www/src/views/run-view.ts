/** One run: its state (live), its duration, its error, and the results of all refs. */

import type { Outcome, SyncRun } from "refsync";
import { hasEnded } from "../api/workspace";
import { button, fill, h, hold, redraw } from "../parts/dom";
import { icon } from "../parts/icons";
import { ProblemSlot } from "../parts/problem";
import { foreign } from "../parts/text";
import { duration, timeAgo } from "../parts/time";
import { countOutcomes, countsOf, directionMark, globsText, number, progressText, statusBadge } from "../parts/words";
import { messages } from "./messages";
import { RefTable } from "./ref-table";

/** A user's actions on a run. */
export interface RunActions {
  /** Starts the same sync again. */
  again: (run: SyncRun) => void;
  /** Cancels the run. Rejects if that fails. */
  cancel: (run: SyncRun) => Promise<void>;
}

/** Shows a run, and each new state of it. */
export class RunView {
  readonly element = h("div", { class: "run" });
  readonly #said = h("p", { class: "visually-hidden", "aria-live": "polite", role: "status", "data-run-said": true });
  readonly #head = h("div", { class: "run-head" });
  readonly #progress = h("p", { class: "run-progress muted", "data-run-progress": true });
  readonly #problem = new ProblemSlot();
  readonly #result = h("div", { class: "run-result" });
  readonly #elapsed = h("span", { class: "elapsed" });
  readonly #tick = setInterval(() => this.#drawElapsed(), 100);
  #run: SyncRun | null = null;
  #table: RefTable | undefined;

  /** Without `actions` the run is read-only. */
  constructor(private readonly actions: RunActions | null) {
    fill(this.element, this.#said, this.#head, this.#progress, this.#problem.element, this.#result);
  }

  /** The id of the shown run. */
  get runId(): string | null {
    return this.#run?.id ?? null;
  }

  /** Shows `run`, or its new state. */
  show(run: SyncRun): void {
    const before = this.#run;
    this.#run = run;
    this.element.dataset.runStatus = run.status;
    this.element.dataset.runId = run.id;
    this.#drawProgress(run);
    this.#drawElapsed();
    if (before?.id !== run.id || before.status !== run.status || before.attempt !== run.attempt) {
      this.#problem.clear();
      redraw(this.element, () => {
        this.#drawHead(run);
        this.#drawResult(run);
      });
      // Only changes are announced to screen readers, not a run that the user opened from the history.
      if (before?.id === run.id || !hasEnded(run)) fill(this.#said, foreign(sentence(run)));
    }
  }

  /** Stops the clock and destroys the chart. */
  destroy(): void {
    clearInterval(this.#tick);
    this.#table?.destroy();
  }

  #drawHead(run: SyncRun): void {
    fill(
      this.#head,
      h(
        "div",
        { class: "run-title" },
        directionMark(run.direction),
        statusBadge(run),
        run.attempt > 1 && h("span", { class: "badge badge-quiet" }, `Attempt ${run.attempt}`),
        this.#elapsed,
        !hasEnded(run) && this.#cancel(run),
      ),
      hasEnded(run) ? null : steps(run),
      h(
        "p",
        { class: "run-facts muted wrap" },
        h("span", {}, foreign(globsText(run))),
        h("span", {}, "asked for ", timeAgo(run.created_at)),
        run.finished_at && h("span", {}, "ended ", timeAgo(run.finished_at)),
        h("span", {}, "run ", h("code", {}, run.id)),
      ),
    );
  }

  #cancel(run: SyncRun): HTMLElement | false {
    const { actions } = this;
    if (!actions) return false;
    const press = () => {
      hold([cancel], true);
      cancel.textContent = "Cancelling…";
      this.#problem.clear();
      actions.cancel(run).catch((error: unknown) => {
        hold([cancel], false);
        cancel.textContent = "Cancel";
        this.#problem.show(error, `Could not cancel the ${run.direction}.`, press);
      });
    };
    const cancel = button("Cancel", press, { class: "button button-small run-cancel", "data-run-cancel": true });
    return cancel;
  }

  #drawProgress(run: SyncRun): void {
    const progress = run.status === "in_progress" ? run.progress : undefined;
    this.#progress.hidden = !progress;
    this.#progress.textContent = progress ? progressText(progress) : "";
  }

  #drawElapsed(): void {
    const run = this.#run;
    if (!run) return;
    const from = Date.parse(run.started_at ?? run.created_at);
    const to = run.finished_at ? Date.parse(run.finished_at) : Date.now();
    const word = run.finished_at ? "took" : run.status === "queued" ? "waiting" : "running";
    const text = `${word} ${duration(to - from)}`;
    if (this.#elapsed.textContent !== text) this.#elapsed.textContent = text;
  }

  #drawResult(run: SyncRun): void {
    this.#table?.destroy();
    this.#table = undefined;
    if (!hasEnded(run)) {
      fill(this.#result, h("p", { class: "muted" }, "The result of every ref appears here when the run has ended."));
      return;
    }
    const counts = countsOf(run);
    const table = run.stats ? new RefTable(run.stats.refs) : undefined;
    fill(
      this.#result,
      run.status === "failed" && this.#failure(run),
      counts !== null && counts.rejected > 0 && rejection(counts, table),
      run.stats && messages(run.stats),
      table?.element,
    );
    this.#table = table;
    // The section may be put into the document by the caller right after this.
    requestAnimationFrame(() => {
      if (this.#table === table) table?.attached();
    });
  }

  #failure(run: SyncRun): HTMLElement {
    const again = this.actions?.again;
    const isCancelled = run.error === "cancelled";
    return h(
      "div",
      { class: "notice notice-bad", role: "alert" },
      icon("warning"),
      h(
        "div",
        { class: "notice-text" },
        h(
          "p",
          {},
          h(
            "strong",
            {},
            isCancelled
              ? `The ${run.direction} was cancelled.`
              : `The ${run.direction} failed${run.attempt > 1 ? ` after ${run.attempt} attempts` : ""}.`,
          ),
        ),
        h(
          "p",
          { class: "wrap", "data-run-error": true, hidden: isCancelled },
          foreign(run.error ?? "The service gave no reason.", LONG_ERROR),
        ),
      ),
      again &&
        h(
          "div",
          { class: "notice-actions" },
          button(`${run.direction === "pull" ? "Pull" : "Push"} again`, () => again(run), {
            class: "button button-small",
          }),
        ),
    );
  }
}

function rejection(counts: Readonly<Record<Outcome, number>>, table: RefTable | undefined): HTMLElement {
  const { rejected } = counts;
  const were = counts.filtered === 1 ? "was" : "were";
  const left = counts.filtered > 0 ? `${counts.filtered} ${were} left out on purpose. ` : "";
  const others = counts.updated + counts.unchanged > 0 && ` ${left}All others were synced.`;
  return h(
    "div",
    { class: "notice notice-warn" },
    icon("warning"),
    h(
      "div",
      { class: "notice-text" },
      rejected === 1
        ? h("p", {}, h("strong", {}, "One ref was rejected"), " and stays as it was at the destination.", others)
        : h(
            "p",
            {},
            h("strong", {}, `${number(rejected)} refs were rejected`),
            " and stay as they were at the destination.",
            others,
          ),
    ),
    table &&
      h(
        "div",
        { class: "notice-actions" },
        button("Show rejected", () => table.choose("rejected"), { class: "button button-small" }),
      ),
  );
}

/** The three steps queued, in progress and ended, with the current one marked. */
function steps(run: SyncRun): HTMLElement {
  const at = run.status === "queued" ? 0 : 1;
  const step = (name: string, index: number) =>
    h(
      "li",
      {
        class: index < at ? "step step-done" : index === at ? "step step-now" : "step",
        "aria-current": index === at && "step",
      },
      name,
    );
  return h(
    "ol",
    { class: "steps", "aria-label": "Progress of the run" },
    step("Queued", 0),
    step("In progress", 1),
    step("Ended", 2),
  );
}

function sentence(run: SyncRun): string {
  const what = `The ${run.direction}`;
  switch (run.status) {
    case "queued":
      return `${what} is queued${run.attempt > 1 ? ` for attempt ${run.attempt}` : ""}.`;
    case "in_progress":
      return `${what} is in progress${run.attempt > 1 ? `, attempt ${run.attempt}` : ""}.`;
    case "failed":
      return run.error === "cancelled"
        ? `${what} was cancelled.`
        : `${what} failed: ${run.error ?? "the service gave no reason"}`;
    case "completed": {
      const counts = countsOf(run) ?? countOutcomes([]);
      return `${what} is completed: ${counts.updated} updated, ${counts.unchanged} unchanged, ${counts.filtered} filtered, ${counts.rejected} rejected.`;
    }
  }
}

const LONG_ERROR = 600;
