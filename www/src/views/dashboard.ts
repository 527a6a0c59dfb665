/** The page after signing in: the bar on top, the repositories, and the open repository. */

import type { Repo } from "refsync";
import type { Workspace } from "../api/workspace";
import { closeDialogs } from "../parts/dialog";
import { button, type Child, fill, h } from "../parts/dom";
import { icon } from "../parts/icons";
import { foreign } from "../parts/text";
import { wordmark } from "../parts/wordmark";
import { currentRoute } from "../route";
import { RepoList } from "./repo-list";
import { RepoView } from "./repo-view";

// A tab that becomes visible again reloads, but not more often than this.
const STALE_AFTER_MS = 30_000;

// The width from which the style sheet shows two columns.
const WIDE = matchMedia("(min-width: 860px)");

/** The dashboard of one workspace. */
export class Dashboard {
  readonly element = h("div", { class: "dashboard" });
  readonly #list: RepoList;
  readonly #main = h("div", { class: "main", id: "main", tabindex: -1 });
  readonly #routed = () => this.#open();
  readonly #seen = () => this.#freshen();
  #view: RepoView | undefined;
  #loadedAt = 0;

  constructor(
    private readonly workspace: Workspace,
    leave: () => void,
  ) {
    this.#list = new RepoList(workspace);
    fill(this.element, this.#skip(), this.#bar(leave), h("main", { class: "columns" }, this.#list.element, this.#main));
    workspace.listen((change) => {
      if (change.kind === "repos") this.#open();
    });
    addEventListener("hashchange", this.#routed);
    document.addEventListener("visibilitychange", this.#seen);
    this.#open();
    void this.#load();
  }

  /** Removes its listeners from the window. */
  destroy(): void {
    removeEventListener("hashchange", this.#routed);
    document.removeEventListener("visibilitychange", this.#seen);
    closeDialogs();
    this.#view?.destroy();
    this.workspace.close();
  }

  /**
   * A link that skips the list, which may have a thousand links. The fragment of the address already names the open repository, so
   * the link moves the focus itself.
   */
  #skip(): HTMLElement {
    const skip = (event: Event) => {
      event.preventDefault();
      (this.#main.querySelector<HTMLElement>("h1[tabindex]") ?? this.#main).focus();
    };
    return h("a", { class: "skip", href: "#main", on: { click: skip } }, "Skip to the repository");
  }

  #bar(leave: () => void): HTMLElement {
    const { who, session } = this.workspace;
    const scope = who.scopes.includes("admin") ? "admin" : who.scopes.includes("write") ? "write" : "read only";
    return h(
      "header",
      { class: "bar" },
      wordmark(),
      h(
        "span",
        { class: "org", title: session.apiUrl },
        h("b", {}, foreign(who.org.name || who.org.slug, 80)),
        h("span", { class: "org-host muted" }, new URL(session.apiUrl).host),
      ),
      h("span", { class: "badge badge-quiet", title: "What the key allows" }, icon("key"), scope),
      h("span", { class: "spacer" }),
      button(
        icon("refresh"),
        () => void this.#load(),
        { class: "button button-small button-quiet", "aria-label": "Refresh" },
        h("span", {}, "Refresh"),
      ),
      button("Sign out", leave, { class: "button button-small button-quiet" }),
    );
  }

  async #load(): Promise<void> {
    this.#loadedAt = performance.now();
    await this.#list.load();
  }

  #freshen(): void {
    if (document.visibilityState === "visible" && performance.now() - this.#loadedAt > STALE_AFTER_MS)
      void this.#load();
  }

  #open(): void {
    const route = currentRoute();
    const repo = route.repo === null ? this.#suggestion() : this.workspace.find(route.repo);
    // The list may have many pages. The repository in the address does not wait for them.
    if (route.repo !== null && !repo) void this.workspace.seek(route.repo);
    this.element.dataset.open = route.repo === null ? "list" : "repo";
    document.title = repo ? `${repo.name} · refsync` : "refsync";
    this.#list.pick(repo?.id ?? null);
    if (repo && this.#view?.repoId === repo.id) {
      if (this.#view.syncId !== route.syncId) void this.#view.open(route.syncId);
      return;
    }
    this.#view?.destroy();
    this.#view = repo && new RepoView(this.workspace, repo, route.syncId);
    if (!this.#view) {
      this.#nothing(route.repo);
      return;
    }
    fill(this.#main, this.#view.element);
    if (!WIDE.matches) {
      scrollTo(0, 0);
      // The list with the pressed link is hidden now, and the focus with it.
      this.#main.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }
  }

  /** If there is room beside the list, the first repository that has an upstream is open from the start. */
  #suggestion(): Repo | undefined {
    if (!WIDE.matches || !this.workspace.complete) return undefined;
    const repos = [...this.workspace.repos.values()];
    return repos.find((repo) => repo.id === this.#view?.repoId) ?? repos.find((repo) => repo.upstream) ?? repos[0];
  }

  #nothing(sought: string | null): void {
    const { complete, repos } = this.workspace;
    const create = button("New repository", () => this.#list.create(), { class: "button button-primary" });
    create.disabled = !this.workspace.allows("write");
    let blank: Child;
    if (!complete && (sought === null || !this.workspace.isMissing(sought)))
      blank = h("p", { class: "empty" }, "Loading…");
    else if (sought !== null) {
      blank = h(
        "div",
        { class: "blank" },
        h("h1", {}, "No such repository"),
        h("p", { class: "wrap" }, "There is no repository named ", foreign(sought), " here, or it was deleted."),
        h("a", { href: "#/" }, "Back to the repositories"),
      );
    } else if (repos.size === 0) {
      blank = h(
        "div",
        { class: "blank" },
        h("h1", {}, "No repository yet"),
        h("p", {}, "Make one, point it at an upstream, and pull: its branches and tags arrive here and can be cloned."),
        create,
      );
    }
    fill(this.#main, blank);
  }
}
