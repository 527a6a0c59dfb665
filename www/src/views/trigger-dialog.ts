/** The dialog of an upstream's triggers: the hook that its host calls, and the push after a push. */

import type { Repo, UpstreamHook } from "refsync";
import type { Workspace } from "../api/workspace";
import { copyButton } from "../parts/copy";
import { openDialog } from "../parts/dialog";
import { button, fill, h, hold } from "../parts/dom";
import { refuseFields, selectField } from "../parts/field";
import { ProblemSlot, problemOf } from "../parts/problem";

/** Shows the hook, and asks whether pushes go on to the upstream. */
export function editTriggers(workspace: Workspace, repo: Repo): void {
  const { upstream } = repo;
  if (!upstream) return;
  const onPush = selectField("upstream.on_push", "After a push into this repository", [
    ["no", "Wait for the schedule, or for a sync"],
    ["yes", "Push to the upstream at once"],
  ]);
  onPush.input.value = upstream.on_push === true ? "yes" : "no";
  openDialog({
    title: `Triggers of ${repo.name}`,
    confirm: "Save",
    body: [hookPart(workspace, repo.id, upstream.hook ?? null), onPush.element],
    failure: "Could not save the triggers.",
    handled: (error) => workspace.report(error) || refuseFields([onPush], problemOf(error)),
    submit: async () => {
      const change = { url: upstream.url, on_push: onPush.input.value === "yes" };
      workspace.put(await workspace.client.repos.update({ repo: repo.id, upstream: change }));
    },
  });
}

/** The hook, with buttons that make and delete it. Its secret is shown only after it was made. */
function hookPart(workspace: Workspace, repo: string, hook: UpstreamHook | null): HTMLElement {
  const slot = new ProblemSlot();
  const shown = h("div", { class: "fields", "aria-live": "polite" });
  const act = async (buttons: HTMLButtonElement[], doing: string, work: () => Promise<void>) => {
    slot.clear();
    hold(buttons, true);
    try {
      await work();
      await workspace.refresh(repo);
    } catch (error) {
      if (!workspace.report(error)) slot.show(error, doing);
    } finally {
      hold(buttons, false);
    }
  };
  const draw = (now: UpstreamHook | null, secret: string | null) => {
    const make = button(now ? "Make a new secret" : "Make a hook", () => {
      void act([make, remove], "Could not make the hook.", async () => {
        const made = await workspace.client.repos.createHook({ repo });
        draw(made, made.secret);
        shown.querySelector<HTMLElement>(".copy")?.focus();
      });
    });
    const remove = button("Delete hook", () => {
      void act([make, remove], "Could not delete the hook.", async () => {
        await workspace.client.repos.deleteHook({ repo });
        draw(null, null);
        shown.querySelector("button")?.focus();
      });
    });
    const about = now
      ? "The upstream's host calls this address after a push, and the push is pulled at once."
      : "A hook is an address that GitHub, GitLab, Gitea, Forgejo or Bitbucket calls after a push. The push is then pulled at once.";
    fill(
      shown,
      h("p", { class: "hint" }, about),
      now && h("p", { class: "wrap" }, "Address: ", copyButton(now.url, now.url, "the address of the hook")),
      secret !== null && h("p", { class: "wrap" }, "Secret: ", copyButton(secret, secret, "the secret of the hook")),
      secret !== null && h("p", { class: "hint" }, "Copy the secret now: it is not shown again."),
      h("div", { class: "actions" }, make, now && remove),
    );
  };
  draw(hook, null);
  return h("div", { class: "fields", role: "group", "aria-label": "Hook" }, shown, slot.element);
}
