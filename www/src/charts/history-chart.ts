/** How long the latest runs took, oldest first, coloured by how they ended. The list below it says the same in text. */

import type { SyncRun } from "refsync";
import { h } from "../parts/dom";
import { plain } from "../parts/text";
import { duration, relative } from "../parts/time";
import { capital, countsOf, countsText } from "../parts/words";
import { Chart, onRecolour, stylesOf } from "./chart";

/** The fewest runs that are worth a chart. */
const FEWEST = 3;

const MOST = 40;

type Ended = SyncRun & { started_at: string; finished_at: string };

/** A bar for each run that has ended. `pick` is called with the run of a bar that is clicked. */
export class HistoryChart {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas", { role: "img" });
  readonly #forget = onRecolour(() => this.#draw());
  #runs: Ended[] = [];
  #chart: Chart<"bar", number[], string> | undefined;

  constructor(private readonly pick: (run: SyncRun) => void) {
    this.element = h(
      "figure",
      { class: "history-figure", hidden: true },
      h("figcaption", { class: "muted" }, "How long the latest runs took, the newest on the right"),
      h("div", { class: "chart history-chart" }, this.#canvas),
    );
  }

  /** Shows these runs, the newest first. */
  show(runs: readonly SyncRun[]): void {
    const ended = runs.filter((run): run is Ended => run.started_at !== null && run.finished_at !== null);
    const latest = ended.slice(0, MOST).reverse();
    const isSame = latest.length === this.#runs.length && latest.every((run, at) => run.id === this.#runs[at]?.id);
    if (isSame) return;
    this.#runs = latest;
    this.element.hidden = latest.length < FEWEST;
    const words = latest.map((run) => `${run.direction} ${toneOf(run).word} in ${duration(tookOf(run))}`);
    this.#canvas.setAttribute("aria-label", `Bar chart of how long the latest runs took: ${words.join("; ")}`);
    requestAnimationFrame(() => this.#draw());
  }

  /** Destroys the chart. */
  destroy(): void {
    this.#forget();
    this.#chart?.destroy();
    this.#chart = undefined;
  }

  #draw(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
    if (this.element.hidden || !this.element.isConnected) return;
    const { colour, font } = stylesOf(this.element);
    const runs = this.#runs;
    const text = (at: number) => {
      const run = runs[at];
      if (!run) return [];
      const counts = countsOf(run);
      const result = counts ? countsText(counts) : (run.error ?? "failed");
      return [`${capital(run.direction)}, ${relative(run.created_at)}: ${duration(tookOf(run))}`, plain(result, 90)];
    };
    this.#chart = new Chart(this.#canvas, {
      type: "bar",
      data: {
        labels: runs.map((run) => run.id),
        datasets: [
          {
            data: runs.map((run) => tookOf(run) / 1000),
            backgroundColor: runs.map((run) => colour(toneOf(run).colour)),
            borderRadius: 2,
            maxBarThickness: 26,
            minBarLength: 3,
          },
        ],
      },
      options: {
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        onClick: (_event, [bar]) => {
          const run = bar && runs[bar.index];
          if (run) this.pick(run);
        },
        plugins: {
          tooltip: {
            displayColors: false,
            callbacks: { title: () => "", label: (item) => text(item.dataIndex) },
          },
        },
        scales: {
          x: { display: false },
          y: {
            beginAtZero: true,
            border: { display: false },
            grid: { color: colour("--line") },
            ticks: { color: colour("--text-quiet"), font, maxTicksLimit: 4, callback: (value) => `${value} s` },
          },
        },
      },
    });
  }
}

function tookOf(run: Ended): number {
  return Math.max(0, Date.parse(run.finished_at) - Date.parse(run.started_at));
}

function toneOf(run: SyncRun): { word: string; colour: string } {
  if (run.status === "failed") return { word: "failed", colour: "--outcome-rejected" };
  const rejected = countsOf(run)?.rejected ?? 0;
  return rejected > 0
    ? { word: "completed with rejected refs", colour: "--tone-warn" }
    : { word: "completed", colour: "--outcome-updated" };
}
