/**
 * The values that flags take. Each function reads one from its text, and throws an error that says what is allowed.
 *
 * @module
 */

import { InvalidArgumentError } from "commander";

/** A TCP port. 0 takes a free one. */
export function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65535) throw new InvalidArgumentError("must be a whole number from 0 to 65535.");
  return number;
}

/** A number of runs, from 1 to 9999. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("must be a whole number from 1 to 9999.");
  return Number(text);
}

/** An address on the web without a slash at its end. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError("must be an http or https URL such as https://sync.example.com.");
  }
  return text.replace(/\/+$/, "");
}

/** Calls a second and, after a colon, calls at once. */
export function rateLimit(text: string): { perSecond: number; burst: number } {
  const [, perSecond, burst] = /^(\d{1,6}(?:\.\d+)?)(?::(\d{1,6}))?$/.exec(text) ?? [];
  const limit = { perSecond: Number(perSecond), burst: Number(burst ?? Math.max(1, Number(perSecond) * 30)) };
  if (!(limit.perSecond > 0 && limit.burst >= 1)) {
    throw new InvalidArgumentError(
      "must be a number of calls a second above 0, such as 100, or with a whole number of calls at once, such as 100:3000.",
    );
  }
  return limit;
}

/** A number of things, from 0. */
export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("must be a whole number from 0 to 999999999.");
  return Number(text);
}

/** A time in seconds, above 0. */
export function seconds(text: string): number {
  if (!SECONDS.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError("must be a number of seconds above 0 and below 10000000, such as 60 or 1.5.");
  }
  return Number(text);
}

/** A time in seconds, from 0. */
export function wait(text: string): number {
  if (!SECONDS.test(text)) {
    throw new InvalidArgumentError("must be a number of seconds from 0 and below 10000000, such as 0, 60 or 1.5.");
  }
  return Number(text);
}

const SECONDS = /^\d{1,7}(\.\d+)?$/;

/** A time in minutes, hours or days, or `forever`, in milliseconds. */
export function kept(text: string): number {
  const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  if (text === "forever") return Number.POSITIVE_INFINITY;
  const [, number, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError("must be a whole number from 1 to 999999 and m, h or d, such as 90d, or forever.");
  return Number(number) * units[unit as keyof typeof units];
}

/** Bytes and, after a slash, the seconds in which they must come. `time` is in milliseconds. */
export function minRate(text: string): { bytes: number; time: number } {
  const [, bytes, time] = /^(\d{1,9})(?:\/(\d{1,6}(?:\.\d+)?))?$/.exec(text) ?? [];
  if (bytes === undefined || (!(Number(time) > 0) && Number(bytes) > 0)) {
    throw new InvalidArgumentError(
      "must be a whole number of bytes, a slash and the number of seconds in which they must come, such as 1000/60, or 0.",
    );
  }
  return { bytes: Number(bytes), time: Number(time ?? 60) * 1000 };
}

/** A time such as `90d`, in seconds. */
export function duration(text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const seconds = Number(number) * ({ m: 60, h: 3600, d: 86_400 }[unit] ?? 0);
  if (!(seconds > 0))
    throw new InvalidArgumentError("must be a whole number from 1 to 999999 and m, h or d, such as 90d.");
  return seconds;
}
