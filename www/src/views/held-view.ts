/** The moves of refs that wait for an approval, with a button for each. */

import type { HeldRef, Upstream } from "refsync";

import type { Workspace } from "../api/workspace";
import { button, fill, h } from "../parts/dom";
import { ProblemSlot } from "../parts/problem";
import { foreign } from "../parts/text";
import { timeAgo } from "../parts/time";
import { number } from "../parts/words";

/** The held moves of one repository. It takes no room if there are none. */
export class HeldView {
  readonly element = h("section", { class: "card", hidden: true, "aria-label": "Held refs", "data-card": "held" });
  readonly #body = h("div");
  readonly #problem = new ProblemSlot();
  #run: string | null | undefined;

  constructor(
    private readonly workspace: Workspace,
    private readonly repo: string,
  ) {
    fill(this.element, h("h2", {}, "Held refs"), this.#problem.element, this.#body);
  }

  /** Loads the list after each run, if the policy holds refs. */
  async refresh(upstream: Upstream | null): Promise<void> {
    const run = upstream?.latest_sync;
    const state = upstream?.policy?.on_diverged === "hold" ? `${run?.id} ${run?.status}` : null;
    if (state === this.#run) return;
    this.#run = state;
    if (state === null) return this.#show([]);
    try {
      this.#show((await this.workspace.client.repos.listHeldRefs({ repo: this.repo })).held);
    } catch (error) {
      this.#failed(error, "Could not load the held refs.");
    }
  }

  #show(held: readonly HeldRef[]): void {
    this.element.hidden = held.length === 0;
    const waiting = held.filter(({ approved }) => !approved);
    const all = button(`Approve all ${number(waiting.length)}`, () => void this.#approve(waiting), {
      class: "button button-small",
      disabled: !this.workspace.allows("write"),
    });
    fill(
      this.#body,
      h(
        "p",
        { class: "muted" },
        "These refs were rewritten, moved or deleted at the source. An approved move happens at the next sync, and the old " +
          "commit is kept as a backup.",
      ),
      h("ul", { class: "held-list" }, ...held.slice(0, MOST).map((move) => this.#item(move))),
      held.length > MOST && h("p", { class: "muted" }, `${number(held.length - MOST)} more are not shown.`),
      waiting.length > 1 && h("div", { class: "actions" }, all),
    );
  }

  #item(move: HeldRef): HTMLElement {
    const { name, from, to, ahead, behind, since, approved } = move;
    const counts =
      ahead == null || behind == null ? "" : `, ${number(ahead)} new and ${number(behind)} old commits differ`;
    const approve = button("Approve", () => void this.#approve([move]), {
      class: "button button-small",
      disabled: !this.workspace.allows("write"),
    });
    approve.setAttribute("aria-label", `Approve ${name}`);
    return h(
      "li",
      { class: "held-item" },
      h("code", { class: "wrap" }, foreign(name)),
      h(
        "span",
        { class: "muted" },
        " ",
        h("code", {}, short(from)),
        " to ",
        h("code", {}, short(to)),
        `${counts}, since `,
        timeAgo(since),
      ),
      approved ? h("span", { class: "badge" }, "Approved: sync to carry it out") : approve,
    );
  }

  async #approve(moves: readonly HeldRef[]): Promise<void> {
    this.#problem.clear();
    const refs = moves.slice(0, MOST_AT_ONCE).map(({ name, from, to }) => ({ name, from, to }));
    try {
      this.#show((await this.workspace.client.repos.approveHeldRefs({ repo: this.repo, refs })).held);
    } catch (error) {
      this.#failed(error, "Could not approve.");
    }
  }

  #failed(error: unknown, doing: string): void {
    if (this.workspace.report(error)) return;
    this.element.hidden = false;
    this.#problem.show(error, doing);
  }
}

function short(id: string): string {
  return /^0+$/.test(id) ? "deleted" : id.slice(0, 8);
}

const MOST = 100;
/** How many moves one call may approve. */
const MOST_AT_ONCE = 1000;
