/** A repository's runs, newest first, a page at a time. */

import type { Repo, SyncRun } from "refsync";
import { hasEnded, type Workspace } from "../api/workspace";
import { HistoryChart } from "../charts/history-chart";
import { button, fill, h, hold } from "../parts/dom";
import { ProblemSlot } from "../parts/problem";
import { foreignLine } from "../parts/text";
import { duration, timeAgo } from "../parts/time";
import { countsOf, countsText, directionMark, globsText, statusBadge } from "../parts/words";
import { addressOf } from "../route";

// Every run contains the result of each ref, so a page has few runs.
const PAGE_RUNS = 10;

/** The list of runs. A click on a run opens its address. */
export class History {
  readonly element: HTMLElement;
  readonly #list = h("ol", { class: "history" });
  readonly #slot = new ProblemSlot();
  readonly #more: HTMLButtonElement;
  readonly #empty = h("p", { class: "empty" }, "Loading…");
  readonly #runs: SyncRun[] = [];
  readonly #chart = new HistoryChart((run) => {
    location.hash = addressOf(this.#repoName, run.id);
  });
  #cursor: string | null = null;
  #picked: string | null = null;
  #repoName: string;

  constructor(
    private readonly workspace: Workspace,
    private readonly repo: Repo,
  ) {
    this.#repoName = repo.name;
    this.#more = button("Load more", () => void this.load());
    this.#more.hidden = true;
    this.element = h("div", {}, this.#chart.element, this.#list, this.#empty, this.#slot.element, this.#more);
  }

  /** Destroys the chart. */
  destroy(): void {
    this.#chart.destroy();
  }

  /** The run, if it has been loaded. */
  find(syncId: string): SyncRun | undefined {
    return this.#runs.find(({ id }) => id === syncId);
  }

  /** The newest run that has been loaded. */
  get newest(): SyncRun | undefined {
    return this.#runs[0];
  }

  /** Loads the next page. */
  async load(): Promise<void> {
    hold([this.#more], true);
    this.#slot.clear();
    try {
      const from = this.#cursor === null ? {} : { cursor: this.#cursor };
      const page = await this.workspace.client.syncs.list({ repo: this.repo.id, limit: PAGE_RUNS, ...from });
      this.#cursor = page.has_more ? page.next_cursor : null;
      for (const run of page.syncs) if (!this.find(run.id)) this.#runs.push(run);
      this.#draw();
    } catch (error) {
      this.#empty.hidden = true;
      if (!this.workspace.report(error)) this.#slot.show(error, "Could not load the history.", () => void this.load());
    } finally {
      hold([this.#more], false);
    }
  }

  /** Adds a new run, or updates a run. */
  put(run: SyncRun): void {
    const at = this.#runs.findIndex(({ id }) => id === run.id);
    if (at >= 0) this.#runs[at] = run;
    else this.#runs.unshift(run);
    this.#draw();
  }

  /** Marks the run that is shown. */
  pick(syncId: string | null): void {
    if (syncId === this.#picked) return;
    this.#picked = syncId;
    this.#draw();
  }

  /** Uses the repository's new name in addresses. */
  rename(name: string): void {
    this.#repoName = name;
    this.#draw();
  }

  #draw(): void {
    const focused = document.activeElement?.closest<HTMLElement>("[data-sync-id]")?.dataset.syncId;
    fill(this.#list, ...this.#runs.map((run) => this.#item(run)));
    if (focused) this.#list.querySelector<HTMLElement>(`[data-sync-id="${CSS.escape(focused)}"] a`)?.focus();
    this.#chart.show(this.#runs);
    this.#empty.hidden = this.#runs.length > 0;
    this.#empty.textContent = "Every run will be listed here.";
    this.#more.hidden = this.#cursor === null;
  }

  #item(run: SyncRun): HTMLLIElement {
    const took = run.started_at && run.finished_at ? Date.parse(run.finished_at) - Date.parse(run.started_at) : null;
    return h(
      "li",
      { "data-sync-id": run.id, "data-status": run.status },
      h(
        "a",
        {
          class: "history-run",
          href: addressOf(this.#repoName, run.id),
          "aria-current": run.id === this.#picked && "true",
        },
        h("span", { class: "history-what" }, directionMark(run.direction), statusBadge(run)),
        h("span", { class: "history-when muted" }, timeAgo(run.created_at), took !== null && ` · ${duration(took)}`),
        h("span", { class: "history-counts muted wrap" }, foreignLine(result(run))),
        h("span", { class: "history-globs muted wrap" }, foreignLine(globsText(run))),
      ),
    );
  }
}

function result(run: SyncRun): string {
  if (run.status === "failed") return run.error ?? "failed";
  const counts = countsOf(run);
  return hasEnded(run) && counts ? countsText(counts) : `attempt ${run.attempt}`;
}
