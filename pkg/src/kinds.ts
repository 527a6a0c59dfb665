/**
 * Checks that an option is of its kind, so that a wrong one is named as its caller wrote it.
 *
 * @module
 */
import { InvalidRequestError } from "./errors.js";

/** A kind of value, and what an error says of a value of another kind. */
export interface Kind {
  words: string;
  has(value: unknown): boolean;
}

export const flag: Kind = { words: "must be true or false", has: (value) => typeof value === "boolean" };

export const number: Kind = {
  words: "must be a number, and at least 0",
  has: (value) => typeof value === "number" && value >= 0,
};

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number): Kind => ({
  words: `must be a whole number from ${least} to ${most}`,
  has: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
});

export const count: Kind = whole(0, 0xffff_ffff);

export const milliseconds: Kind = { ...number, words: "must be a number of milliseconds, and at least 0" };

/** How long a call may take. */
export const timeout: Kind = {
  words: "has to be a positive number of milliseconds",
  has: (value) => Number.isFinite(value) && Number(value) > 0,
};

/** The time of a timer. A runtime's timers fire at once if the time is longer. */
export const timer: Kind = {
  words: "must be a number of milliseconds from 1 to 2147483647",
  has: (value) => typeof value === "number" && value >= 1 && value <= 0x7fff_ffff,
};

export const func: Kind = { words: "must be a function", has: (value) => typeof value === "function" };

export const object: Kind = {
  words: "must be an object",
  has: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

const isTexts = (value: unknown) => Array.isArray(value) && value.every((text) => typeof text === "string");

export const texts: Kind = { words: "must be a list of strings", has: isTexts };

export const globs: Kind = {
  words: "must be a glob, or a list of globs",
  has: (value) => typeof value === "string" || isTexts(value),
};

export const signal: Kind = {
  words: "must be an AbortSignal",
  has: (value) => typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value,
};

/** A field that is wrong, and why. */
type Wrong = { field: string; message: string };

/** Throws an `InvalidRequestError` that names `operation` and every wrong field. Does nothing if there is none. */
export function refuseWrong(operation: string, wrong: Wrong[]): void {
  if (wrong.length === 0) return;
  const message = wrong.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new InvalidRequestError(`${operation}: ${message}`, { code: "INVALID_REQUEST", fields: wrong });
}

/**
 * The fields of `given` that are of another kind. A field that is undefined or null counts as left out; with `isWhole` none may be left
 * out. `path` is the place of `given` among the options. If `given` is not an object, it has no fields.
 */
export function wrongIn(given: unknown, kinds: Record<string, Kind>, path = "", isWhole = false): Wrong[] {
  if (!object.has(given)) return [];
  const values: Record<string, unknown> = { ...(given as object) };
  return Object.entries(kinds)
    .filter(([key, kind]) => (isWhole || (values[key] ?? undefined) !== undefined) && !kind.has(values[key]))
    .map(([key, { words }]) => ({ field: path + key, message: words }));
}
