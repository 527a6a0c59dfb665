/**
 * The status badge of an upstream, in the style of shields.io.
 *
 * @module
 */
import type { Freshness } from "../wasm/client/refsync.js";

/** A row of `freshness_show.sql`. */
interface Shown {
  freshness: Omit<Freshness, "max_age"> & { max_age: string | null };
  more: { has_upstream: boolean; last_status: "completed" | "failed" | null };
}

/** The image as SVG. It contains no foreign words, and nothing that is elsewhere. */
export function badge(shown: Shown): string {
  const [word, colour] = state(shown);
  const { age_seconds } = shown.freshness;
  const age = age_seconds === null ? "" : ` · ${rough(age_seconds)}`;
  const text = `${word}${age}`;
  const width = 12 + 7 * text.length;
  const [middle, all] = [LABEL + width / 2, LABEL + width];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${all}" height="20" role="img" aria-label="mirror: ${text}">` +
    `<title>mirror: ${text}</title><rect width="${all}" height="20" rx="3" fill="${colour}"/>` +
    `<path d="M3 0h${LABEL - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3" fill="#444"/>` +
    '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">' +
    `<text x="${LABEL / 2}" y="14" textLength="${LABEL - 12}">mirror</text>` +
    `<text x="${middle}" y="14" textLength="${width - 12}">${text}</text></g></svg>`
  );
}

/** The word, and its colour, which has enough contrast to white. */
function state({
  freshness: { fresh, max_age, age_seconds },
  more: { last_status },
}: Shown): [word: string, colour: string] {
  if (age_seconds !== null && max_age !== null && !fresh) return ["stale", "#c62828"];
  if (last_status === "failed") return ["failing", "#a84300"];
  if (age_seconds === null) return ["never synced", "#616161"];
  return max_age === null ? ["synced", "#1565c0"] : ["fresh", "#2e7d32"];
}

/** A time for people, rounded up. */
function rough(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.ceil(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.ceil(hours / 24)} d`;
}

/** The width of the word "mirror". */
const LABEL = 52;
