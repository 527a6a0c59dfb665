/** The form that starts a sync: which refs, and in which direction. */

import type { Direction, RefGlobs, Repo, SyncRun } from "refsync";
import type { Workspace } from "../api/workspace";
import { button, h, hold } from "../parts/dom";
import { inputField, refuseFields } from "../parts/field";
import { icon } from "../parts/icons";
import { ProblemSlot, problemOf } from "../parts/problem";
import type { Plan } from "./plan-view";

/** Two globs, Pull and Push. */
export class SyncForm {
  readonly element: HTMLFormElement;
  readonly #slot = new ProblemSlot();
  readonly #branches = inputField("ref_globs.branches", "Branches", {
    value: "*",
    code: true,
    placeholder: "none",
    hint: "Such as main, release/* or *. Empty is none.",
  });
  readonly #tags = inputField("ref_globs.tags", "Tags", {
    value: "*",
    code: true,
    placeholder: "none",
    hint: "Such as v1.*, v[0-9]* or *. Empty is none.",
  });
  readonly #buttons: HTMLButtonElement[];

  /** `started` gets the queued run, `planned` gets a plan. */
  constructor(
    private readonly workspace: Workspace,
    private readonly repo: Repo,
    private readonly started: (run: SyncRun) => void,
    private readonly planned: (plan: Plan) => void,
  ) {
    const allowed = workspace.allows("write");
    const press = (direction: Direction, explanation: string) =>
      h(
        "button",
        {
          type: "submit",
          class: "button button-primary button-sync",
          value: direction,
          "data-direction": direction,
          disabled: !allowed,
        },
        icon(direction),
        h("span", {}, h("b", {}, direction === "pull" ? "Pull" : "Push"), h("small", {}, explanation)),
      );
    const preview = (direction: Direction) =>
      button(`Preview ${direction}`, () => void this.preview(direction), {
        class: "button button-small",
        "data-preview": direction,
      });
    const syncs = [press("pull", `upstream → ${repo.name}`), press("push", `${repo.name} → upstream`)];
    const previews = [preview("pull"), preview("push")];
    this.#buttons = [...syncs, ...previews];
    this.element = h(
      "form",
      {
        class: "sync-form",
        on: {
          submit: (event) => {
            event.preventDefault();
            // Enter in a field presses the form's first button. That is Pull, because it does not write to another server.
            const pressed = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "pull";
            void this.ask(pressed === "push" ? "push" : "pull");
          },
        },
      },
      h("div", { class: "two" }, this.#branches.element, this.#tags.element),
      grammar(),
      h("div", { class: "sync-buttons" }, ...syncs),
      h("div", { class: "previews" }, ...previews),
      !allowed && h("p", { class: "hint" }, "This key may only read. A sync needs one with the scope write."),
      this.#slot.element,
    );
  }

  /** Starts a sync, with the form's globs if none are given. */
  async ask(direction: Direction, globs: RefGlobs = this.#globs()): Promise<void> {
    const ask = async () =>
      this.started(await this.workspace.client.repos.syncUpstream({ repo: this.repo.id, direction, ref_globs: globs }));
    await this.#call(globs, ask, `Could not start the ${direction}.`, () => void this.ask(direction, globs));
  }

  /** Requests a plan of a sync with the form's globs. */
  async preview(direction: Direction): Promise<void> {
    const globs = this.#globs();
    const ask = async () => {
      const { repos } = this.workspace.client;
      const stats = await repos.planUpstreamSync({ repo: this.repo.id, direction, ref_globs: globs });
      this.planned({ direction, globs, stats });
    };
    await this.#call(globs, ask, `Could not preview the ${direction}.`, () => void this.preview(direction));
  }

  #globs(): RefGlobs {
    return { branches: this.#branches.input.value, tags: this.#tags.input.value };
  }

  async #call(globs: RefGlobs, ask: () => Promise<void>, failure: string, retry: () => void): Promise<void> {
    const fields = [this.#branches, this.#tags];
    for (const field of fields) field.refuse(null);
    this.#slot.clear();
    if (globs.branches === "" && globs.tags === "") {
      this.#branches.refuse("Both are empty, so no ref would match. Write * for all.");
      this.#branches.input.focus();
      return;
    }
    hold(this.#buttons, true);
    this.element.setAttribute("aria-busy", "true");
    try {
      await ask();
    } catch (error) {
      if (!this.workspace.report(error) && !refuseFields(fields, problemOf(error))) {
        this.#slot.show(error, failure, retry);
      }
    } finally {
      hold(this.#buttons, false);
      this.element.removeAttribute("aria-busy");
    }
  }
}

function grammar(): HTMLElement {
  const rule = (pattern: string, meaning: string) => [h("dt", {}, h("code", {}, pattern)), h("dd", {}, meaning)];
  return h(
    "details",
    { class: "grammar" },
    h("summary", {}, "How globs match"),
    h(
      "dl",
      {},
      ...rule("*", "any characters, also none, and also /"),
      ...rule("?", "exactly one character"),
      ...rule("[a-z]", "one character of the class; [!a-z] one that is not in it"),
      ...rule("\\x", "the character x itself"),
    ),
    h(
      "p",
      {},
      "The whole name has to match, without refs/heads/ or refs/tags/, and case matters. An empty field matches nothing.",
    ),
  );
}
