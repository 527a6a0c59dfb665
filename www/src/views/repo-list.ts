/** The organisation's repositories: each with its upstream and its latest sync. */

import type { Repo } from "refsync";
import type { Workspace } from "../api/workspace";
import { button, fill, h } from "../parts/dom";
import { icon } from "../parts/icons";
import { ProblemSlot } from "../parts/problem";
import { foreignLine } from "../parts/text";
import { timeAgo } from "../parts/time";
import { countsOf, countsText, directionMark, number, statusBadge } from "../parts/words";
import { addressOf } from "../route";
import { createRepo } from "./repo-dialogs";

// A button or the filter shows more: a thousand rows at once would slow the page down.
const STEP = 200;

/** The list, with a filter and New. */
export class RepoList {
  readonly element: HTMLElement;
  readonly #slot = new ProblemSlot();
  readonly #count = h("span", { class: "count", role: "status" });
  readonly #list = h("ul", { class: "repos" });
  readonly #empty = h("div", { class: "empty" });
  readonly #more = button("Show more", () => this.#showMore());
  readonly #search: HTMLInputElement;
  #limit = STEP;
  #picked: string | null = null;

  constructor(private readonly workspace: Workspace) {
    this.#search = h("input", {
      class: "input",
      type: "search",
      placeholder: "Filter repositories",
      "aria-label": "Filter repositories by name or upstream",
      on: { input: () => this.draw() },
    });
    const create = button(icon("plus"), () => this.create(), { class: "button button-small" }, "New");
    create.disabled = !workspace.allows("write");
    create.setAttribute("aria-label", "New repository");
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": "Repositories" },
      h("div", { class: "sidebar-head" }, h("h2", {}, "Repositories ", this.#count), create),
      this.#search,
      this.#slot.element,
      this.#list,
      this.#empty,
      this.#more,
    );
    workspace.listen((change) => {
      if (change.kind === "repos" || change.kind === "run") this.draw();
    });
    this.draw();
  }

  /** Loads the list again. */
  async load(): Promise<void> {
    this.#slot.clear();
    try {
      await this.workspace.load();
    } catch (error) {
      if (!this.workspace.report(error))
        this.#slot.show(error, "Could not load the repositories.", () => void this.load());
      this.#empty.hidden = true;
    }
  }

  /** Marks the open repository. */
  pick(repoId: string | null): void {
    this.#picked = repoId;
    this.draw();
  }

  /** Redraws the list. */
  draw(): void {
    const { repos, complete } = this.workspace;
    const sought = this.#search.value.trim().toLowerCase();
    const matching = [...repos.values()].filter(
      (repo) => repo.name.toLowerCase().includes(sought) || repo.upstream?.url.toLowerCase().includes(sought),
    );
    const focused = document.activeElement?.closest<HTMLElement>("[data-repo-id]")?.dataset.repoId;
    fill(this.#list, ...matching.slice(0, this.#limit).map((repo) => this.#item(repo)));
    if (focused) this.#list.querySelector<HTMLElement>(`[data-repo-id="${CSS.escape(focused)}"] a`)?.focus();
    this.#count.textContent = number(repos.size) + (complete ? "" : "…");
    this.#more.hidden = matching.length <= this.#limit;
    this.#search.hidden = repos.size < 6 && sought === "";
    this.#empty.hidden = matching.length > 0;
    if (!complete) fill(this.#empty, "Loading…");
    else if (repos.size > 0) fill(this.#empty, "No repository matches the filter.");
    else fill(this.#empty, "No repository yet. Make one to start.");
  }

  #item(repo: Repo): HTMLLIElement {
    const { upstream } = repo;
    const latest = upstream?.latest_sync;
    const counts = latest && countsOf(latest);
    return h(
      "li",
      { "data-repo-id": repo.id },
      h(
        "a",
        { class: "repo", href: addressOf(repo.name), "aria-current": repo.id === this.#picked && "page" },
        h("span", { class: "repo-name" }, foreignLine(repo.name)),
        h(
          "span",
          { class: "repo-upstream muted" },
          upstream ? foreignLine(withoutScheme(upstream.url)) : "No upstream",
        ),
        repo.damaged !== undefined && h("span", { class: "repo-latest muted" }, "Damaged"),
        latest &&
          h(
            "span",
            { class: "repo-latest muted" },
            statusBadge(latest),
            h("span", {}, directionMark(latest.direction), " ", timeAgo(latest.finished_at ?? latest.created_at)),
            counts && h("span", { class: "visually-hidden" }, countsText(counts)),
          ),
        upstream && !latest && h("span", { class: "repo-latest muted" }, "Never synced"),
      ),
    );
  }

  /** Asks for a new repository and opens it. */
  create(): void {
    createRepo(this.workspace, (repo) => {
      location.hash = addressOf(repo.name);
    });
  }

  #showMore(): void {
    this.#limit += STEP;
    this.draw();
  }
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//, "");
}
