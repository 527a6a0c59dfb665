/**
 * The next time of a cron line. The service asks its host for it, because the runtime has the time zones and the wasm build does not.
 *
 * @module
 */

import { Cron } from "croner";

/**
 * The next time after `after` of a cron line of five fields in an IANA time zone; null if there is none. Times are milliseconds since
 * 1970. When clocks go forward, a skipped time comes an hour later. When they go back, a repeated time counts once. Throws if the line
 * or the time zone is invalid.
 */
export function nextTick(cron: string, timeZone: string, after: number): number | null {
  // Otherwise the library would use the time zone of this machine.
  if (!timeZone) throw new RangeError("there is no time zone");
  try {
    const line = new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true });
    return line.nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    // The name of the library's part does not help the user.
    throw new RangeError((error as Error).message.replace(/^Cron\w+: /, ""), { cause: error });
  }
}
