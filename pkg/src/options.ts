/**
 * Refuses misspelt options, because an option that nobody reads would silently change nothing.
 *
 * @module
 */
import { InvalidRequestError } from "./errors.js";

/** All known options. Write `{ url: true, … } satisfies Record<keyof Options, true>`, so the compiler finds a missing one. */
export type Known = Readonly<Record<string, true>>;

/**
 * Throws an `InvalidRequestError` for the keys of `given` that are not `known`. The error names `operation`, and `path`, the place
 * of `given` among the options. An option that is `undefined` counts as left out.
 */
export function refuseUnknown(operation: string, given: unknown, known: Known, path = ""): void {
  if (typeof given !== "object" || given === null) return;
  const unknown = Object.entries(given).filter(([key, value]) => value !== undefined && !Object.hasOwn(known, key));
  if (unknown.length === 0) return;
  const fields = unknown.map(([key]) => {
    const meant = nearest(key, Object.keys(known));
    return {
      field: path + key,
      message: `is not an option${meant === undefined ? "" : `; did you mean ${path}${meant}?`}`,
    };
  });
  const message = fields.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new InvalidRequestError(`${operation}: ${message}`, { code: "INVALID_REQUEST", fields });
}

/** The word of `known` that is closest to `word`; undefined if none is close enough. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of known) {
    const edits = distance(plain(word), plain(candidate));
    if (edits <= Math.min(2, Math.floor(candidate.length / 3)) && edits < (best?.edits ?? Number.POSITIVE_INFINITY)) {
      best = { candidate, edits };
    }
  }
  return best?.candidate;
}

/** `refGlobs`, `ref_globs` and `ref-globs` are the same word in three styles. */
function plain(word: string): string {
  return word.replace(/[-_]/g, "").toLowerCase().slice(0, 100);
}

/** How many letters have to be inserted, left out, changed or swapped with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let edits = Math.min(at(last, column) + 1, at(next, column - 1) + 1, at(last, column - 1) + cost);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) edits = Math.min(edits, at(before, column - 2) + 1);
      next.push(edits);
    }
    before = last;
    last = next;
  }
  return at(last, b.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
