/** Shows what a sync would do now, after the user pressed Preview. */

import type { Direction, RefGlobs, SyncRunStats } from "refsync";

import { button, fill, h } from "../parts/dom";
import { foreign } from "../parts/text";
import { capital, countOutcomes, countsText } from "../parts/words";
import { messages } from "./messages";
import { RefTable } from "./ref-table";

/** A plan. */
export interface Plan {
  direction: Direction;
  globs: RefGlobs;
  stats: SyncRunStats;
}

/** Shows one plan, until it is carried out or closed. */
export class PlanView {
  readonly element = h("section", {
    class: "card",
    hidden: true,
    "aria-label": "Preview",
    "data-card": "preview",
  });
  #table: RefTable | undefined;

  /** `carryOut` starts the planned sync. */
  constructor(private readonly carryOut: (plan: Plan) => void) {}

  /** Shows `plan` and takes the focus to it. */
  show(plan: Plan): void {
    this.clear();
    const { direction, globs, stats } = plan;
    const table = new RefTable(stats.refs);
    const title = h("h2", { tabindex: -1 }, `What a ${direction} would do now`);
    // The pressed button disappears with the plan, so the repository's own Pull or Push button takes the focus.
    const go = () => {
      this.clear();
      document.querySelector<HTMLElement>(`button[data-direction=${direction}]`)?.focus();
      this.carryOut(plan);
    };
    const close = () => {
      this.clear();
      document.querySelector<HTMLElement>(`[data-preview=${direction}]`)?.focus();
    };
    fill(
      this.element,
      title,
      h(
        "p",
        { class: "muted wrap", role: "status" },
        `Expected: ${countsText(countOutcomes(stats.refs))}. Nothing has been changed. `,
        "Branches ",
        foreign(globs.branches || "none"),
        ", tags ",
        foreign(globs.tags || "none"),
        ".",
      ),
      h(
        "div",
        { class: "actions" },
        button(`${capital(direction)} now`, go, { class: "button button-primary" }),
        button("Close", close, { class: "button" }),
      ),
      messages(stats),
      table.element,
    );
    this.#table = table;
    this.element.hidden = false;
    requestAnimationFrame(() => {
      if (this.#table === table) table.attached();
    });
    this.element.scrollIntoView({ block: "nearest" });
    title.focus({ preventScroll: true });
  }

  /** Removes the plan, because it may be out of date. */
  clear(): void {
    this.element.hidden = true;
    this.#table?.destroy();
    this.#table = undefined;
    fill(this.element);
  }
}
