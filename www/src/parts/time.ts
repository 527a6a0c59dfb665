/** Times for people: relative in the text, absolute on hover, and kept fresh while they are on the page. */

import { h } from "./dom";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const ABSOLUTE = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "long" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago `iso` (RFC 3339) was, such as `3 minutes ago`. */
export function relative(iso: string): string {
  // The service's clock may be a little ahead of this one: the future is `now`.
  const seconds = Math.min(0, (Date.parse(iso) - Date.now()) / 1000);
  const unit = UNITS.find(([, length]) => -seconds >= length);
  if (unit) return RELATIVE.format(Math.ceil(seconds / unit[1]), unit[0]);
  return seconds > -10 ? "just now" : RELATIVE.format(Math.ceil(seconds), "second");
}

/** A `<time>` that says how long ago `iso` was. */
export function timeAgo(iso: string): HTMLTimeElement {
  return h("time", { datetime: iso, title: ABSOLUTE.format(new Date(iso)) }, relative(iso));
}

/** How long something took, such as `1.4 s`, `2 min 5 s`, `3 h 12 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 0.1) return "under 0.1 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Rewrites every relative time on the page now and then. */
export function keepTimesFresh(): void {
  setInterval(() => {
    for (const time of document.querySelectorAll("time")) {
      const fresh = relative(time.dateTime);
      if (time.textContent !== fresh) time.textContent = fresh;
    }
  }, 10_000);
}
