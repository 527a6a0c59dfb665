/** The counts per outcome as bars. The filter beside it says the same in text, and so does the chart's own label. */

import type { Outcome } from "refsync";
import { h } from "../parts/dom";
import { capital, number, OUTCOMES } from "../parts/words";
import { Chart, onRecolour, stylesOf } from "./chart";

/** Four bars. `pick` is called with the outcome of a bar that is clicked. */
export class OutcomeChart {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas", { role: "img" });
  readonly #forget = onRecolour(() => this.#draw());
  readonly #counts: Readonly<Record<Outcome, number>>;
  #chart: Chart<"bar", number[], string> | undefined;

  constructor(
    counts: Readonly<Record<Outcome, number>>,
    private readonly pick: (outcome: Outcome) => void,
  ) {
    this.element = h("div", { class: "chart" }, this.#canvas);
    this.#counts = counts;
    const said = OUTCOMES.map((outcome) => `${number(counts[outcome])} ${outcome}`).join(", ");
    this.#canvas.setAttribute("aria-label", `Bar chart of refs per outcome: ${said}`);
  }

  /** Draws the chart. Call it when the chart is in the document, because it has no size and colours before. */
  draw(): void {
    this.#draw();
  }

  /** Destroys the chart. */
  destroy(): void {
    this.#forget();
    this.#chart?.destroy();
  }

  #draw(): void {
    this.#chart?.destroy();
    if (!this.element.isConnected) return;
    const { colour, font } = stylesOf(this.element);
    this.#chart = new Chart(this.#canvas, {
      type: "bar",
      data: {
        labels: OUTCOMES.map((outcome) => `${capital(outcome)}  ${number(this.#counts[outcome])}`),
        datasets: [
          {
            // A count of zero has no bar at all.
            data: OUTCOMES.map((outcome) => this.#counts[outcome] || Number.NaN),
            backgroundColor: OUTCOMES.map((outcome) => colour(`--outcome-${outcome}`)),
            borderRadius: 3,
            barThickness: 16,
            // Two rejected refs among ten thousand must still be visible.
            minBarLength: 5,
          },
        ],
      },
      options: {
        indexAxis: "y",
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        onClick: (_event, [bar]) => {
          const outcome = bar && OUTCOMES[bar.index];
          if (outcome && this.#counts[outcome] > 0) this.pick(outcome);
        },
        plugins: { tooltip: { displayColors: false, callbacks: { title: () => "", label: (item) => item.label } } },
        scales: {
          x: {
            beginAtZero: true,
            border: { display: false },
            grid: { color: colour("--line") },
            ticks: { color: colour("--text-quiet"), font, precision: 0, maxTicksLimit: 6, maxRotation: 0 },
          },
          y: {
            border: { display: false },
            grid: { display: false },
            ticks: { color: colour("--text"), font, crossAlign: "far" },
          },
        },
      },
    });
  }
}
