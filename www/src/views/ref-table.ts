/**
 * The results of all refs: counts, filters, and a table. A run may have tens of thousands of refs, so only one page of rows
 * is in the document at a time.
 */

import type { Outcome, SyncRunRef } from "refsync";
import { OutcomeChart } from "../charts/outcome-chart";
import { copyButton } from "../parts/copy";
import { button, type Child, fill, freshId, h } from "../parts/dom";
import { foreign } from "../parts/text";
import {
  adviceText,
  capital,
  countOutcomes,
  number,
  OUTCOME_MEANING,
  OUTCOMES,
  outcomeIcon,
  outcomeMark,
  reasonText,
} from "../parts/words";

/** A ref name with more characters is folded. Its column is narrow. */
const LONG_NAME = 160;

const PAGE_ROWS = 25;

/** The table of one run's refs. */
export class RefTable {
  readonly element: HTMLElement;
  readonly #refs: readonly SyncRunRef[];
  readonly #chart: OutcomeChart;
  readonly #rows = h("tbody", { role: "rowgroup" });
  readonly #empty = h("p", { class: "empty" });
  readonly #pager = h("nav", { class: "pager", "aria-label": "Pages of refs" });
  readonly #shown = h("p", { class: "muted shown", role: "status" });
  readonly #choices = new Map<Outcome | null, HTMLButtonElement>();
  #matching: readonly SyncRunRef[] = [];
  #outcome: Outcome | null = null;
  #text = "";
  #page = 0;

  constructor(refs: readonly SyncRunRef[]) {
    const counts = countOutcomes(refs);
    const rank = (ref: SyncRunRef) => OUTCOMES.indexOf(ref.outcome);
    this.#refs = [...refs].sort((a, b) => rank(a) - rank(b));
    this.#chart = new OutcomeChart(counts, (outcome) => this.choose(outcome));
    this.element = h(
      "div",
      { class: "refs" },
      this.#chart.element,
      h("div", { class: "refs-tools" }, this.#outcomeFilter(counts), this.#textFilter()),
      this.#shown,
      this.#table(),
      this.#empty,
      this.#pager,
    );
    this.#filter();
  }

  /** Draws the parts that must be in the document first. */
  attached(): void {
    this.#chart.draw();
  }

  /** Destroys the chart. */
  destroy(): void {
    this.#chart.destroy();
  }

  /** Shows only the refs with this outcome; null shows all. */
  choose(outcome: Outcome | null): void {
    this.#outcome = outcome;
    this.#filter();
  }

  #outcomeFilter(counts: Readonly<Record<Outcome, number>>): HTMLElement {
    const choice = (outcome: Outcome | null, count: number) => {
      const label = outcome ? capital(outcome) : "All";
      const chip = h(
        "button",
        {
          type: "button",
          class: outcome ? `chip outcome-${outcome}` : "chip",
          title: outcome && OUTCOME_MEANING[outcome],
          disabled: outcome !== null && count === 0,
          on: { click: () => this.choose(outcome) },
        },
        outcome && outcomeIcon(outcome),
        label,
        h("span", { class: "chip-count" }, number(count)),
      );
      this.#choices.set(outcome, chip);
      return chip;
    };
    return h(
      "div",
      { class: "chips", role: "group", "aria-label": "Filter by outcome" },
      choice(null, this.#refs.length),
      ...OUTCOMES.map((outcome) => choice(outcome, counts[outcome])),
    );
  }

  #textFilter(): HTMLElement {
    let later: ReturnType<typeof setTimeout> | undefined;
    const search = h("input", {
      id: freshId("filter"),
      class: "input",
      type: "search",
      placeholder: "Filter by name, reason or id",
      "aria-label": "Filter refs by name, reason or id",
      on: {
        input: () => {
          clearTimeout(later);
          later = setTimeout(() => {
            this.#text = search.value.trim().toLowerCase();
            this.#filter();
          }, 120);
        },
      },
    });
    return search;
  }

  #table(): HTMLElement {
    // On a narrow screen the rows become blocks, and then browsers no longer treat this as a table. The roles keep it one.
    const head = ["Ref", "Before → after", "Outcome", "Why"].map((title) =>
      h("th", { scope: "col", role: "columnheader" }, title),
    );
    return h(
      "table",
      { class: "ref-table", role: "table" },
      h("caption", { class: "visually-hidden" }, "The result of every ref"),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)),
      this.#rows,
    );
  }

  #filter(): void {
    this.#matching = this.#refs.filter(
      (ref) => (this.#outcome === null || ref.outcome === this.#outcome) && matchesText(ref, this.#text),
    );
    this.#page = 0;
    for (const [outcome, chip] of this.#choices) chip.setAttribute("aria-pressed", String(outcome === this.#outcome));
    this.#draw();
  }

  #draw(): void {
    const from = this.#page * PAGE_ROWS;
    const rows = this.#matching.slice(from, from + PAGE_ROWS);
    const total = this.#matching.length;
    fill(this.#rows, ...rows.map(row));
    fill(
      this.#shown,
      total === 0
        ? ""
        : `Refs ${number(from + 1)} to ${number(from + rows.length)} of ${number(total)}` +
            (total < this.#refs.length ? ` that match, ${number(this.#refs.length)} in all` : ""),
    );
    this.#shown.hidden = total === 0;
    fill(
      this.#empty,
      this.#refs.length === 0 ? "No ref of the source matched the globs." : "No ref matches the filter.",
    );
    this.#empty.hidden = total > 0;
    this.#drawPager(total);
  }

  #drawPager(total: number): void {
    const last = Math.ceil(total / PAGE_ROWS) - 1;
    this.#pager.hidden = last <= 0;
    const step = (label: string, page: number) => {
      const to = button(label, () => this.#turn(page, label), { class: "button button-small" });
      to.disabled = page < 0 || page > last || page === this.#page;
      return to;
    };
    fill(
      this.#pager,
      step("First", 0),
      step("Previous", this.#page - 1),
      h("span", { class: "muted" }, `Page ${number(this.#page + 1)} of ${number(last + 1)}`),
      step("Next", this.#page + 1),
      step("Last", last),
    );
  }

  #turn(page: number, pressed: string): void {
    this.#page = page;
    this.#draw();
    this.element.querySelector(".ref-table")?.scrollIntoView({ block: "nearest" });
    // The pressed button was redrawn. It gets the focus back, so that it can be pressed again.
    const same = [...this.#pager.querySelectorAll("button")].find((step) => step.textContent === pressed);
    (same?.disabled ? this.#pager.querySelector<HTMLButtonElement>("button:enabled") : same)?.focus();
  }
}

function matchesText(ref: SyncRunRef, text: string): boolean {
  if (text === "") return true;
  const sought = [ref.name, ref.reason, reasonText(ref), ref.message, ref.before, ref.after];
  return sought.some((value) => value?.toLowerCase().includes(text));
}

function row(ref: SyncRunRef): HTMLTableRowElement {
  const [, prefix = "", name = ref.name] = /^(refs\/(?:heads|tags)\/)(.*)$/.exec(ref.name) ?? [];
  const cell = (kind: string, ...children: Child[]) => h("td", { class: `cell-${kind}`, role: "cell" }, ...children);
  const [why, advice] = [reasonText(ref), adviceText(ref)];
  return h(
    "tr",
    { role: "row", "data-ref": ref.name, "data-outcome": ref.outcome },
    h(
      "th",
      { scope: "row", role: "rowheader", class: "cell-name", title: ref.name },
      h("span", { class: "ref-prefix" }, prefix),
      h("span", { class: "ref-name" }, foreign(name, LONG_NAME)),
    ),
    cell(
      "ids",
      oid(ref.before, "before", ref.outcome === "updated" ? "new" : "none"),
      h("span", { class: "arrow", "aria-label": "to" }, "→"),
      oid(ref.after, "after", "none"),
    ),
    cell("outcome", outcomeMark(ref.outcome)),
    cell(
      "why",
      why && h("span", {}, why, " ", h("code", { class: "code" }, ref.reason)),
      advice && h("span", { class: "advice" }, advice),
      ref.message && h("q", { class: "remote-words" }, foreign(ref.message)),
    ),
  );
}

/** A shortened object id with the whole id in the tooltip, or a word if there is none. */
function oid(id: string | null, side: "before" | "after", none: string): HTMLElement {
  if (id === null || /^0+$/.test(id)) return h("span", { class: `oid-none ${side}` }, none);
  const shown = copyButton(id.slice(0, 8), id, "the whole id");
  shown.classList.add("oid", side);
  return shown;
}
