/** The dialogs that make, change and delete a repository and its upstream. */

import type { Repo, UpstreamAuth } from "refsync";
import type { Workspace } from "../api/workspace";
import { openDialog } from "../parts/dialog";
import { h } from "../parts/dom";
import { type Field, inputField, refuseFields, selectField } from "../parts/field";
import { problemOf } from "../parts/problem";
import { foreign } from "../parts/text";

/** Asks for a new repository and its upstream. */
export function createRepo(workspace: Workspace, created: (repo: Repo) => void): void {
  const name = inputField("name", "Name", {
    placeholder: "app",
    code: true,
    hint: "Letters, digits, dots, dashes and underscores. If empty, the service chooses one.",
  });
  const branch = inputField("default_bookmark", "Default branch", {
    placeholder: "main",
    code: true,
    hint: "The branch that a clone checks out. If empty, it is main until a pull sets it to the upstream's.",
  });
  const upstream = upstreamFields(null, false);
  const fields = [name, branch, ...upstream.fields];
  openDialog({
    title: "New repository",
    confirm: "Create repository",
    body: [name.element, branch.element, upstream.element],
    failure: "Could not create the repository.",
    handled: (error) => workspace.report(error) || refuseFields(fields, problemOf(error)),
    submit: async () => {
      const url = upstream.url();
      const repo = await workspace.client.repos.create({
        ...(name.input.value && { name: name.input.value }),
        ...(branch.input.value && { default_bookmark: branch.input.value }),
        ...(url && { upstream: { url, auth: upstream.auth() ?? null } }),
      });
      workspace.put(repo);
      created(repo);
    },
  });
}

/** Asks for another name or default branch. */
export function editRepo(workspace: Workspace, repo: Repo, changed: (repo: Repo) => void): void {
  const name = inputField("name", "Name", {
    value: repo.name,
    required: true,
    code: true,
    hint: "Clones and scripts that use the old name stop working.",
  });
  const branch = inputField("default_bookmark", "Default branch", {
    value: repo.default_bookmark,
    required: true,
    code: true,
    hint: "The branch that a clone checks out.",
  });
  openDialog({
    title: `Edit ${repo.name}`,
    confirm: "Save",
    body: [name.element, branch.element],
    failure: "Could not change the repository.",
    handled: (error) => workspace.report(error) || refuseFields([name, branch], problemOf(error)),
    submit: async () => {
      // If a default branch is sent, it is fixed and no longer follows the upstream.
      const changes = {
        name: name.input.value,
        ...(branch.input.value !== repo.default_bookmark && { default_bookmark: branch.input.value }),
      };
      const fresh = await workspace.client.repos.update({ repo: repo.id, ...changes });
      // Change the address first: listeners of the new state find the repository by the name in the address.
      changed(fresh);
      workspace.put(fresh);
    },
  });
}

/** Asks for an upstream, or for changes to the current one. */
export function editUpstream(workspace: Workspace, repo: Repo): void {
  const upstream = upstreamFields(repo.upstream?.url ?? "", repo.upstream?.auth_kind != null);
  openDialog({
    title: repo.upstream ? `Edit the upstream of ${repo.name}` : `Add an upstream to ${repo.name}`,
    confirm: "Save",
    body: [upstream.element],
    failure: "Could not save the upstream.",
    handled: (error) => workspace.report(error) || refuseFields(upstream.fields, problemOf(error)),
    submit: async () => {
      const auth = upstream.auth();
      const change = { url: upstream.url(), ...(auth !== undefined && { auth }) };
      const fresh = await workspace.client.repos.update({ repo: repo.id, upstream: change });
      workspace.put(fresh);
      if (fresh.warning) warn(workspace, fresh, fresh.warning);
    },
  });
}

/** Shows the warning after a change of the upstream, and offers to set a credential. */
function warn(workspace: Workspace, repo: Repo, warning: string): void {
  openDialog({
    title: "The credential was removed",
    confirm: "Set a credential",
    body: [h("p", { class: "wrap" }, warning)],
    failure: "Could not open the upstream.",
    submit: async () => editUpstream(workspace, repo),
  });
}

/** Removes the upstream after the user has confirmed it. */
export function removeUpstream(workspace: Workspace, repo: Repo): void {
  openDialog({
    title: `Remove the upstream of ${repo.name}?`,
    confirm: "Remove upstream",
    dangerous: true,
    body: [
      h(
        "p",
        {},
        "The repository and all its refs stay. Its stored credential is deleted, and nothing is synced any more with",
      ),
      h("p", { class: "wrap" }, h("code", {}, foreign(repo.upstream?.url ?? ""))),
    ],
    failure: "Could not remove the upstream.",
    handled: (error) => workspace.report(error),
    submit: async () => workspace.put(await workspace.client.repos.update({ repo: repo.id, upstream: null })),
  });
}

/** Deletes the repository after the user has typed its name. */
export function deleteRepo(workspace: Workspace, repo: Repo, deleted: () => void): void {
  const typed = inputField("confirm", `Type ${repo.name} to confirm`, { required: true, code: true });
  const confirm = openDialog({
    title: `Delete ${repo.name}?`,
    confirm: "Delete repository",
    dangerous: true,
    body: [
      h(
        "p",
        {},
        "This deletes the hosted repository with all its refs and its history of syncs, for good. Its upstream is not touched.",
      ),
      typed.element,
    ],
    failure: "Could not delete the repository.",
    handled: (error) => workspace.report(error),
    submit: async () => {
      await workspace.client.repos.delete({ repo: repo.id });
      // The address first, as above: it must not name a repository that is gone.
      deleted();
      workspace.drop(repo);
    },
  });
  confirm.disabled = true;
  typed.input.addEventListener("input", () => {
    confirm.disabled = typed.input.value !== repo.name;
  });
}

/**
 * The fields of an upstream. If `url` is null, the upstream is optional. `stored`: there is a stored credential that can be
 * kept.
 */
function upstreamFields(url: string | null, stored: boolean) {
  const address = inputField("upstream.url", url === null ? "Upstream URL (optional)" : "Upstream URL", {
    value: url ?? "",
    type: "url",
    required: url !== null,
    placeholder: "https://github.com/acme/app.git",
    code: true,
    hint: "An http or https address that Git can clone from.",
  });
  const kept: [string, string][] = stored ? [["keep", "Keep the stored credential (for the same server only)"]] : [];
  const kind = selectField("upstream.auth", "Credential", [
    ...kept,
    ["public", "None, the remote is public"],
    ["token", "Access token"],
    ["username_password", "User name and password"],
  ]);
  const token = inputField("upstream.auth.token", "Token", {
    type: "password",
    autocomplete: "new-password",
    required: true,
  });
  const tokenUser = inputField("upstream.auth.token_username", "User name for the token (optional)", {
    hint: "Most servers take any. Bitbucket wants x-token-auth, GitLab oauth2.",
  });
  const user = inputField("upstream.auth.username", "User name", { required: true });
  const password = inputField("upstream.auth.password", "Password", {
    type: "password",
    autocomplete: "new-password",
    required: true,
  });
  const byKind: Record<string, Field[]> = { token: [token, tokenUser], username_password: [user, password] };
  const secrets = h("div", { class: "fields" });
  const showSecrets = () => secrets.replaceChildren(...(byKind[kind.input.value] ?? []).map(({ element }) => element));
  kind.input.addEventListener("change", showSecrets);
  return {
    element: h("div", { class: "fields" }, address.element, kind.element, secrets),
    fields: [address, kind, token, tokenUser, user, password],
    url: () => address.input.value.trim(),
    /** Undefined keeps what is stored, null clears it. */
    auth(): UpstreamAuth | null | undefined {
      switch (kind.input.value) {
        case "keep":
          return undefined;
        case "token": {
          const username = tokenUser.input.value;
          return { kind: "token", token: token.input.value, ...(username && { token_username: username }) };
        }
        case "username_password":
          return { kind: "username_password", username: user.input.value, password: password.input.value };
        default:
          return null;
      }
    },
  };
}
