/**
 * The backups of a repository, which are refs that keep the old objects of refs that were forced or deleted; and a look for a commit.
 *
 * @module
 */

/** A request of the service about backups. */
export type BackupRequest =
  | { verb: "list" }
  /** Moves a ref back to the object of its backup. */
  | { verb: "restore"; ref: string; oid: string }
  /** Removes these backups, given by their full names. */
  | { verb: "remove"; backups: string[] }
  /** Whether a branch or a tag names this commit, or only the ref with this full name. */
  | { verb: "find"; oid: string; ref: string | null };

/** The repository's refs. */
export interface Refs {
  /** The refs whose names start with `prefix`. */
  list(prefix: string): Promise<{ name: string; id: string }[]>;
  /** Moves refs, all or none. Each line is `old-id new-id name`. Resolves to the repository's reason if it refuses. */
  move(lines: string[]): Promise<string | undefined>;
}

/** Carries out a request. Returns what the service reads. */
export async function backups(request: BackupRequest, refs: Refs): Promise<unknown> {
  switch (request.verb) {
    case "list":
      return refs.list(BACKUPS);
    case "restore":
      return restored(request, refs);
    case "remove":
      return removed(request.backups, refs);
    case "find":
      return { is_there: await isTip(request, refs) };
  }
}

async function restored({ ref, oid }: { ref: string; oid: string }, refs: Refs) {
  const kept = new Map((await refs.list(BACKUPS)).map(({ name, id }) => [name, id]));
  // An older version kept a deep ref without its depth.
  if (![backupName(ref, oid), `${BACKUPS}${oid}/${short(ref)}`].some((name) => kept.get(name) === oid)) return {};
  const before = (await refs.list(ref)).find(({ name }) => name === ref)?.id ?? null;
  const answer = { restored: JSON.stringify({ ref, before, after: oid }) };
  if (before === oid) return answer;
  const none = "0".repeat(oid.length);
  const lines = [`${before ?? none} ${oid} ${ref}`];
  // An older backup of the same object counts from now on, because it keeps what this restore replaces.
  const made = before === null ? undefined : backupName(ref, before);
  if (made !== undefined && !kept.has(made)) lines.unshift(`${none} ${before} ${made}`);
  const refusal = await refs.move(lines);
  if (refusal !== undefined) return { refusal: `${ref} was not restored: ${refusal}` };
  return { ...answer, ...(made !== undefined && { made }) };
}

async function removed(names: string[], refs: Refs) {
  const old = new Set(names);
  const there = (await refs.list(BACKUPS)).filter(({ name }) => old.has(name));
  const lines = there.map(({ name, id }) => `${id} ${"0".repeat(id.length)} ${name}`);
  let refusal: string | undefined;
  try {
    refusal = await refs.move(lines);
  } catch (error) {
    if (lines.length < 2) throw error;
    // Not every server can move all refs or none.
    for (const line of lines) refusal ??= await refs.move([line]);
  }
  if (refusal !== undefined) throw new Error(`old backups were not removed: ${refusal}`);
  return {};
}

async function isTip({ oid, ref }: { oid: string; ref: string | null }, refs: Refs): Promise<boolean> {
  for (const prefix of ref === null ? ["refs/heads/", "refs/tags/"] : [ref]) {
    const listed = await refs.list(prefix);
    if (listed.some(({ name, id }) => id === oid && (ref === null || name === ref))) return true;
  }
  return false;
}

/** The same name as in `src/sync/policy.rs`. */
function backupName(ref: string, oid: string): string {
  const name = short(ref);
  const slashes = name.split("/").length - 1;
  return `${BACKUPS}${oid}/${slashes > 1 ? `${slashes}/` : ""}${name}`;
}

function short(ref: string): string {
  return ref.replace(/^refs\//, "");
}

const BACKUPS = "refs/refsync/backup/";
