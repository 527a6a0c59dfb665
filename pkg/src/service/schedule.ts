/**
 * When a cron line comes next: what the service asks its host, since runtimes have the time zones and a wasm build has not.
 *
 * @module
 */

import { Cron } from "croner";

/**
 * The next time after `after` of a cron line of five fields in an IANA time zone; null where it never comes. Times are
 * milliseconds since 1970. Where clocks go forward, a time that is left out comes an hour later; where they go back, a
 * time that comes twice is taken once. Throws where the line or the time zone is none.
 */
export function nextTick(cron: string, timeZone: string, after: number): number | null {
  // The library would take its own machine's.
  if (!timeZone) throw new RangeError("there is no time zone");
  try {
    const line = new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true });
    return line.nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    // Which of its parts found the fault is of no use to who wrote the line.
    throw new RangeError((error as Error).message.replace(/^Cron\w+: /, ""), { cause: error });
  }
}
