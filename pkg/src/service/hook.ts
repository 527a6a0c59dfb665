/**
 * Reads what the hosts of Git repositories send to a hook: GitHub, GitLab, Gitea, Forgejo, Bitbucket Cloud and Bitbucket Server.
 *
 * @module
 */

/** What a call of a hook says: pushed refs by their full names, a test of the address, a refusal, or nothing that matters. */
export type HookRefs =
  | { refs: string[] }
  | { is_ping: true }
  | { field: string; error: string }
  | Record<string, never>;

/**
 * Reads a payload. `event` is the host's name of the event, such as `push` or `Push Hook`. Returns the JSON text of a
 * {@link HookRefs}.
 */
export function hookRefs(event: string, contentType: string, body: string): string {
  return JSON.stringify(read(event.trim(), contentType, body));
}

function read(event: string, contentType: string, body: string): HookRefs {
  let text: string | null = body;
  if (contentType.trim().toLowerCase().startsWith("application/x-www-form-urlencoded")) {
    text = new URLSearchParams(body).get("payload");
    if (text === null)
      return refused("payload", "is missing in the form; set the webhook's content type to application/json");
  }
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (error) {
    return refused("body", `is not valid JSON (${(error as Error).message.slice(0, 100)}); send the event as JSON`);
  }
  if (event === "ping" || event === "diagnostics:ping") return { is_ping: true };
  const reader = Object.hasOwn(readers, event) ? readers[event] : undefined;
  return reader?.(payload) ?? {};
}

/** How to read each event of a push. */
const readers: Record<string, (payload: unknown) => HookRefs> = {
  // GitHub, Gitea and Forgejo.
  push: oneRef,
  // GitLab.
  "Push Hook": oneRef,
  "Tag Push Hook": oneRef,
  // Bitbucket Cloud.
  "repo:push": (payload) =>
    changed("push.changes", at(at(payload, "push"), "changes"), (change) => {
      // `new` is null if the ref was deleted.
      const side = at(change, "new") ?? at(change, "old");
      const [type, name] = [at(side, "type"), at(side, "name")];
      if (typeof type !== "string" || typeof name !== "string") return undefined;
      return `refs/${type.endsWith("tag") ? "tags" : "heads"}/${name}`;
    }),
  // Bitbucket Server.
  "repo:refs_changed": (payload) =>
    changed("changes", at(payload, "changes"), (change) => at(at(change, "ref"), "id") ?? at(change, "refId")),
};

function oneRef(payload: unknown): HookRefs {
  const ref = at(payload, "ref");
  return typeof ref === "string" ? { refs: [ref] } : refused("ref", "is required: the full name of the pushed ref");
}

function changed(field: string, changes: unknown, nameOf: (change: unknown) => unknown): HookRefs {
  if (!Array.isArray(changes)) return refused(field, "is required: an array of the changed refs");
  const refs = [];
  for (const [index, change] of changes.entries()) {
    const name = nameOf(change);
    if (typeof name !== "string") return refused(`${field}[${index}]`, "does not name a ref");
    refs.push(name);
  }
  return { refs };
}

/** The value of a key; undefined if `value` is no object. */
function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function refused(field: string, error: string): HookRefs {
  return { field, error };
}
