/**
 * Checks that each option of a sync is of its kind. A wrong one is named as its caller wrote it, before anything is loaded.
 *
 * @module
 */
import { InvalidRequestError } from "../errors.js";
import type { SyncOptions } from "./options.js";

/** A kind of value, and what an error says of a value of another kind. */
interface Kind {
  words: string;
  has(value: unknown): boolean;
}

const flag: Kind = { words: "must be true or false", has: (value) => typeof value === "boolean" };

const number: Kind = {
  words: "must be a number, and at least 0",
  has: (value) => typeof value === "number" && value >= 0,
};

const count: Kind = {
  words: "must be a whole number from 0 to 4294967295",
  has: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff,
};

const milliseconds: Kind = { ...number, words: "must be a number of milliseconds, and at least 0" };

const func: Kind = { words: "must be a function", has: (value) => typeof value === "function" };

const object: Kind = { words: "must be an object", has: (value) => typeof value === "object" && !Array.isArray(value) };

const isTexts = (value: unknown) => Array.isArray(value) && value.every((text) => typeof text === "string");

const texts: Kind = { words: "must be a list of strings", has: isTexts };

const globs: Kind = {
  words: "must be a glob, or a list of globs",
  has: (value) => typeof value === "string" || isTexts(value),
};

const signal: Kind = {
  words: "must be an AbortSignal",
  has: (value) => typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value,
};

/** The kinds of the options that are not checked elsewhere. */
const kinds = {
  ref_globs: object,
  force: flag,
  prune: count,
  atomic: flag,
  exclude: texts,
  pushOptions: texts,
  timeout: milliseconds,
  signal,
  onProgress: func,
  fetch: func,
  stallTimeout: milliseconds,
  requestStreams: flag,
  collectLimit: number,
  minRate: object,
  maxRefs: number,
  maxCommits: number,
  maxMemory: number,
} satisfies Partial<Record<keyof SyncOptions, Kind>>;

/** Refuses all options of another kind at once. An option that is undefined or null counts as left out. */
export function refuseOtherKinds(options: SyncOptions): void {
  const wrong = [
    ...wrongIn(options, kinds),
    ...(object.has(options.ref_globs)
      ? wrongIn(options.ref_globs, { branches: globs, tags: globs }, "ref_globs.")
      : []),
    ...(object.has(options.minRate) ? wrongIn(options.minRate, { bytes: number, time: number }, "minRate.", true) : []),
  ];
  if (wrong.length === 0) return;
  const message = wrong.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new InvalidRequestError(`sync: ${message}`, { code: "INVALID_REQUEST", fields: wrong });
}

/** The fields of `given` that are of another kind. With `isWhole` none may be left out. */
function wrongIn(given: object | null | undefined, kinds: Record<string, Kind>, path = "", isWhole = false) {
  if (given === null || given === undefined) return [];
  const values: Record<string, unknown> = { ...given };
  return Object.entries(kinds)
    .filter(([key, kind]) => (isWhole || (values[key] ?? undefined) !== undefined) && !kind.has(values[key]))
    .map(([key, { words }]) => ({ field: path + key, message: words }));
}
