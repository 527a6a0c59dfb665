/**
 * The warnings of `refsync sync` about globs that match nothing.
 *
 * @module
 */

import type { Unmatched } from "../../engine/columns.js";
import { remoteRefs } from "../../engine/run.js";
import type { AskCredentials, EngineFetch } from "../../engine.js";
import { printable } from "../../node/printable.js";
import { nearest } from "../../options.js";
import type { WasmSource } from "../../wasm/load.js";

/** A glob of the command line that matches no ref of the source. */
export interface UnmatchedGlob {
  kind: "branches" | "tags";
  glob: string;
}

/** The source, as the engine reaches it. */
export interface Source {
  url: string;
  username?: string;
  password?: string;
  credentials?: AskCredentials;
  fetch: EngineFetch;
}

/** Of the unmatched globs, those that the command line has, without duplicates. */
export function unmatchedGlobs(
  { branches, tags }: Unmatched,
  given: { branches?: string[] | undefined; tags?: string[] | undefined },
): UnmatchedGlob[] {
  const of = (kind: UnmatchedGlob["kind"], unmatched: string[]) =>
    [...new Set(given[kind])].filter((glob) => unmatched.includes(glob)).map((glob) => ({ kind, glob }));
  return [...of("branches", branches), ...of("tags", tags)];
}

/** A line for each glob, with the refs that the source has, and a suggestion. Asks the source once more for each kind. */
export async function explained(
  globs: UnmatchedGlob[],
  source: Source,
  wasm: WasmSource | undefined,
): Promise<string[]> {
  const names = new Map<UnmatchedGlob["kind"], string[] | undefined>();
  const signal = AbortSignal.timeout(PATIENCE);
  const patient = { ...source, fetch: (input: string, init?: RequestInit) => source.fetch(input, { ...init, signal }) };
  for (const { kind } of globs) {
    if (!names.has(kind)) names.set(kind, await shortNames(kind, patient, wasm));
  }
  return globs.map(({ kind, glob }) => {
    const there = names.get(kind);
    const has = there === undefined ? "" : `, which has ${summary(there)}`;
    return printable(
      `--${kind} '${glob}' matches no ${singular[kind]} in ${namespaces[kind]} of the source${has}${advice(kind, glob, there)}`,
    );
  });
}

/** The source's branches or tags; undefined if it does not answer. The sync is already done, so a failure only costs the hint. */
async function shortNames(
  kind: UnmatchedGlob["kind"],
  source: Source,
  wasm: WasmSource | undefined,
): Promise<string[] | undefined> {
  const prefix = namespaces[kind];
  try {
    return (await remoteRefs(source, { prefix }, wasm)).map(({ name }) => name.slice(prefix.length));
  } catch {
    return undefined;
  }
}

function summary(names: string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, SHOWN).join(", ");
  const more = names.length > SHOWN ? ", …" : "";
  return `${names.length}: ${shown}${more}`;
}

function advice(kind: UnmatchedGlob["kind"], glob: string, names: string[] = []): string {
  const [, meant, short] = /^(?:refs\/)?(heads|tags)\/(.+)$/.exec(glob) ?? [];
  const isMistaken = glob.startsWith("refs/") || !names.some((name) => name.startsWith(`${meant}/`));
  if (short !== undefined && isMistaken) {
    const option = meant === "heads" ? "branches" : "tags";
    return `; globs are short names, without ${namespaces[option]}: did you mean --${option} '${short}'?`;
  }
  if (glob.startsWith("refs/")) return "; globs are short names, without refs/heads/ and refs/tags/";
  const near = /[*?[\\]/.test(glob) || names.length > COMPARED ? undefined : nearest(glob, names);
  return near === undefined ? "" : `; did you mean --${kind} '${near}'?`;
}

const namespaces = { branches: "refs/heads/", tags: "refs/tags/" } as const;
const singular = { branches: "branch", tags: "tag" } as const;
/** How many names a hint lists. */
const SHOWN = 5;
/** The most names that a glob is compared with. */
const COMPARED = 10_000;
/** How long the source may take for a hint, in milliseconds. */
const PATIENCE = 10_000;
