/** One repository: its facts, its upstream, the sync form, the shown run, and the history. */

import type { Repo, SyncRun, Upstream } from "refsync";
import { hasEnded, type Workspace } from "../api/workspace";
import { copyButton } from "../parts/copy";
import { button, type Child, fill, freshId, h, redraw } from "../parts/dom";
import { icon } from "../parts/icons";
import { ProblemSlot } from "../parts/problem";
import { foreign } from "../parts/text";
import { timeAgo } from "../parts/time";
import { authText, countsOf, countsText, directionMark, number, policyText, statusBadge } from "../parts/words";
import { addressOf } from "../route";
import { HeldView } from "./held-view";
import { History } from "./history";
import { PlanView } from "./plan-view";
import { deleteRepo, editRepo, editUpstream, removeUpstream } from "./repo-dialogs";
import { RunView } from "./run-view";
import { SyncForm } from "./sync-form";
import { editTriggers } from "./trigger-dialog";

/** The open repository. */
export class RepoView {
  readonly element = h("article", { class: "repo-view" });
  readonly #head = h("header", { class: "repo-head" });
  readonly #upstream = h("div");
  readonly #sync = h("div");
  readonly #runBody = h("div");
  readonly #lost = new ProblemSlot();
  readonly #history: History;
  readonly #held: HeldView;
  readonly #form: SyncForm;
  readonly #plan = new PlanView(({ direction, globs }) => void this.#form.ask(direction, globs));
  readonly #unlisten: () => void;
  #run: RunView | undefined;
  #syncId: string | null = null;
  #repo: Repo;

  constructor(
    private readonly workspace: Workspace,
    repo: Repo,
    syncId: string | null,
  ) {
    this.#repo = repo;
    this.#history = new History(workspace, repo);
    this.#held = new HeldView(workspace, repo.id);
    this.#form = new SyncForm(
      workspace,
      repo,
      (run) => this.#started(run),
      (plan) => this.#plan.show(plan),
    );
    fill(
      this.element,
      this.#head,
      h("div", { class: "two cards" }, card("Upstream", this.#upstream), card("Sync", this.#sync)),
      this.#plan.element,
      this.#held.element,
      card("Run", this.#lost.element, this.#runBody),
      card("History", this.#history.element),
    );
    this.#draw();
    this.#unlisten = workspace.listen((change) => {
      if (change.kind === "repos") this.#refresh();
      if (change.kind === "run" && change.run.repo_id === this.repoId) this.#moved(change.run);
      if (change.kind === "progress" && this.#run?.runId === change.run.id) this.#run.show(change.run);
      if (change.kind === "lost" && change.run.repo_id === this.repoId) this.#lostSight(change.run, change.error);
    });
    void this.open(syncId);
    void this.#history.load().then(() => this.#fallBack());
  }

  /** The id of the shown repository. */
  get repoId(): string {
    return this.#repo.id;
  }

  /** The run in the address; null if the newest run is followed. */
  get syncId(): string | null {
    return this.#syncId;
  }

  /** Shows a run of the history; null shows the newest. */
  async open(syncId: string | null): Promise<void> {
    this.#syncId = syncId;
    const latest = this.#repo.upstream?.latest_sync ?? this.#history.newest ?? null;
    const known = syncId === null || latest?.id === syncId ? latest : this.#history.find(syncId);
    if (known || syncId === null) {
      this.#show(known ?? null);
      // A list does not contain the refs of large runs.
      if (!known?.counts || known.stats) return;
      return this.#load(known.id, syncId);
    }
    return this.#load(syncId, syncId);
  }

  /** Loads a run and shows it, unless the address has changed from `shown` meanwhile. */
  async #load(id: string, shown: string | null): Promise<void> {
    this.#lost.clear();
    try {
      const run = await this.workspace.client.syncs.get({ repo: this.repoId, sync_id: id });
      if (this.#syncId === shown) this.#show(run);
      this.workspace.follow(run);
    } catch (error) {
      if (this.workspace.report(error) || this.#syncId !== shown) return;
      this.#lost.show(error, "Could not load the run.", () => void this.open(shown));
    }
  }

  /** Stops listening and destroys the chart. */
  destroy(): void {
    this.#unlisten();
    this.#plan.clear();
    this.#history.destroy();
    this.#run?.destroy();
  }

  #started(run: SyncRun): void {
    this.#plan.clear();
    this.workspace.start(run);
    this.#syncId = null;
    this.#show(run);
    // If the address named an older run, a reload would show that one.
    history.replaceState(null, "", addressOf(this.#repo.name));
    this.element.querySelector("[data-card=run]")?.scrollIntoView({ block: "nearest" });
  }

  #moved(run: SyncRun): void {
    this.#refresh();
    this.#history.put(run);
    const isNewest = this.#repo.upstream?.latest_sync?.id === run.id;
    if (this.#run?.runId === run.id || (this.#syncId === null && isNewest)) this.#show(run);
  }

  #lostSight(run: SyncRun, error: unknown): void {
    this.#lost.show(error, "Lost the connection to the run. It may still be running.", () =>
      this.workspace.follow(run),
    );
  }

  /** A repository whose upstream was removed still has its runs. */
  #fallBack(): void {
    if (!this.#run && this.#syncId === null) this.#show(this.#history.newest ?? null);
  }

  #show(run: SyncRun | null): void {
    if (!run) {
      this.#run?.destroy();
      this.#run = undefined;
      const text = this.#repo.upstream
        ? "No sync has run yet. Press Pull to bring the upstream's branches and tags here."
        : "No sync has run yet.";
      fill(this.#runBody, h("p", { class: "empty" }, text));
      return;
    }
    if (!this.#run) {
      const actions = {
        again: (failed: SyncRun) => void this.#form.ask(failed.direction, failed.ref_globs),
        cancel: (running: SyncRun) => this.workspace.cancel(running),
      };
      this.#run = new RunView(this.workspace.allows("write") ? actions : null);
      fill(this.#runBody, this.#run.element);
    }
    if (hasEnded(run)) this.#lost.clear();
    this.#run.show(run);
    this.#history.pick(run.id);
  }

  #refresh(): void {
    const fresh = this.workspace.repos.get(this.repoId);
    if (!fresh || fresh === this.#repo) return;
    const before = this.#repo;
    this.#repo = fresh;
    if (before.name !== fresh.name) this.#history.rename(fresh.name);
    this.#draw();
    const latest = fresh.upstream?.latest_sync;
    if (latest && latest.id !== before.upstream?.latest_sync?.id) {
      this.#history.put(latest);
      if (this.#syncId === null) this.#show(latest);
    }
  }

  #draw(): void {
    const title = () => this.#head.querySelector("h1");
    redraw(this.#head, () => this.#drawHead(), title);
    redraw(this.#upstream, () => this.#drawUpstream(), title);
    void this.#held.refresh(this.#repo.upstream);
    // The form keeps the text that the user typed.
    if (!this.#repo.upstream)
      fill(this.#sync, h("p", { class: "empty" }, "Add an upstream first: a sync goes to it or comes from it."));
    else if (this.#form.element.parentElement !== this.#sync) fill(this.#sync, this.#form.element);
  }

  #drawHead(): void {
    const repo = this.#repo;
    const clone = new URL(`/${repo.org}/${repo.name}.git`, this.workspace.session.apiUrl).href;
    const leave = () => {
      location.hash = "#/";
    };
    const renamed = (fresh: Repo) => history.replaceState(null, "", addressOf(fresh.name));
    const edit = button(
      icon("pencil"),
      () => editRepo(this.workspace, this.#repo, renamed),
      { class: "button button-small" },
      "Edit",
    );
    const remove = button(
      icon("trash"),
      () => deleteRepo(this.workspace, this.#repo, leave),
      { class: "button button-small button-danger-quiet" },
      "Delete",
    );
    edit.disabled = !this.workspace.allows("write");
    remove.disabled = !this.workspace.allows("admin");
    if (remove.disabled) remove.title = "Deleting needs a key with the scope admin";
    fill(
      this.#head,
      h("a", { class: "back", href: "#/" }, icon("back"), "Repositories"),
      h(
        "div",
        { class: "repo-title" },
        h("h1", { class: "wrap", tabindex: -1 }, foreign(repo.name)),
        h("div", { class: "actions" }, edit, remove),
      ),
      h(
        "dl",
        { class: "facts" },
        fact("Default branch", h("code", {}, foreign(repo.default_bookmark))),
        fact("Created", timeAgo(repo.created_at)),
        fact("Clone", copyButton(clone, clone, "the address")),
        repo.damaged !== undefined && fact("Damaged", foreign(repo.damaged), ". A pull repairs it."),
      ),
    );
  }

  #drawUpstream(): void {
    const { upstream } = this.#repo;
    const writable = this.workspace.allows("write");
    const edit = button(upstream ? "Edit upstream" : "Add upstream", () => editUpstream(this.workspace, this.#repo), {
      class: upstream ? "button button-small" : "button button-primary",
    });
    edit.disabled = !writable;
    if (!upstream) {
      fill(
        this.#upstream,
        h("p", { class: "empty" }, "This repository has no upstream."),
        h("div", { class: "actions" }, edit),
      );
      return;
    }
    const triggers = button("Triggers", () => editTriggers(this.workspace, this.#repo), {
      class: "button button-small",
    });
    triggers.disabled = !writable;
    const remove = button("Remove", () => removeUpstream(this.workspace, this.#repo), {
      class: "button button-small button-danger-quiet",
    });
    remove.setAttribute("aria-label", "Remove upstream");
    remove.disabled = !writable;
    const latest = upstream.latest_sync;
    const counts = latest && countsOf(latest);
    fill(
      this.#upstream,
      h(
        "dl",
        { class: "facts facts-stacked" },
        fact("URL", copyButton(upstream.url, upstream.url, "the address")),
        fact(
          "Credential",
          h("span", { class: "with-icon" }, upstream.auth_kind && icon("key"), authText(upstream.auth_kind)),
        ),
        fact("In step", freshness(upstream)),
        upstream.schedule && fact("Schedule", ...scheduleOf(upstream)),
        upstream.hook && fact("Hook", copyButton(upstream.hook.url, upstream.hook.url, "the address")),
        upstream.on_push && fact("After a push here", "It goes to the upstream at once"),
        upstream.policy && fact("If a ref was rewritten", policyText(upstream.policy)),
        fact(
          "Latest sync",
          latest
            ? h(
                "span",
                { class: "latest" },
                statusBadge(latest),
                h("span", {}, directionMark(latest.direction), " ", timeAgo(latest.finished_at ?? latest.created_at)),
                counts && h("span", { class: "muted" }, countsText(counts)),
              )
            : h("span", { class: "muted" }, "Never"),
        ),
      ),
      h("div", { class: "actions" }, edit, triggers, remove),
    );
  }
}

function card(title: string, ...children: Child[]): HTMLElement {
  const id = freshId("card");
  return h(
    "section",
    { class: "card", "aria-labelledby": id, "data-card": title.toLowerCase() },
    h("h2", { id }, title),
    ...children,
  );
}

/** When both sides were last verified to be equal, how many refs differ since then, and how old the repository may become. */
function freshness({ verified_at, behind, max_age, stale_since }: Upstream): HTMLElement {
  const apart = behind ? `${number(behind)} ${behind === 1 ? "ref" : "refs"} apart` : null;
  return h(
    "span",
    { class: "latest" },
    stale_since !== undefined && h("span", { class: "badge badge-warn" }, icon("warning"), "stale"),
    apart && h("span", { class: "badge badge-warn" }, icon("warning"), apart),
    verified_at
      ? h("span", {}, "verified as of ", timeAgo(verified_at))
      : h("span", { class: "muted" }, "Not verified yet: sync all branches and tags once"),
    max_age !== undefined && h("span", { class: "muted" }, `may be ${max_age} old`),
  );
}

/** When the schedule syncs next, or why it is paused. */
function scheduleOf({ schedule, paused_at, pause_reason }: Upstream): Child[] {
  const rule = schedule?.every ? `every ${schedule.every}` : `${schedule?.cron} (${schedule?.time_zone})`;
  if (paused_at) {
    const paused = h("span", { class: "badge badge-warn" }, icon("warning"), "paused");
    return [h("span", { class: "latest" }, paused, foreign(pause_reason ?? ""))];
  }
  const next = schedule?.next_at && new Date(schedule.next_at).toLocaleString("en");
  return [`${schedule?.direction} ${rule}`, next ? `, next ${next}` : ""];
}

function fact(term: string, ...details: Child[]): HTMLElement {
  return h("div", {}, h("dt", {}, term), h("dd", { class: "wrap" }, ...details));
}
