// The picture of the results, from their tables: `node benches/picture.mjs` draws docs/public/bench.svg again from
// docs/performance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root } from "../scripts/command.mjs";

/**
 * @typedef {{ repository: string, work: string, who: string, wall: number, memory: number }} Measured
 * @typedef {{ title: string, unit: string, work: string, value: (row: Measured) => number }} Panel
 */

/** The page with the tables, and the picture. */
export const paths = { page: join(root, "docs/performance.md"), picture: join(root, "docs/public/bench.svg") };

/** @type {Panel[]} */
const panels = [
  { title: "First sync: seconds", unit: " s", work: "first sync", value: ({ wall }) => wall },
  { title: "First sync: peak memory in MB", unit: " MB", work: "first sync", value: ({ memory }) => memory },
  { title: "20 new commits: seconds", unit: " s", work: "20 new commits", value: ({ wall }) => wall },
];

/** It takes so long that the other bars would vanish. The table has it. */
const LEFT_OUT = /isomorphic-git/;

const [WIDTH, LABELS, BAR, GAP] = [760, 240, 18, 4];

/**
 * Reads the tables of costs.
 *
 * @param {string} text
 * @returns {Measured[]}
 */
export function measuredIn(text) {
  return text.split(/^\*\*(?=\d)/m).flatMap((part) => {
    const [repository = ""] = part.split(":");
    return [...part.matchAll(/^\| (first sync|20 new commits|nothing new) \|(.*)\|$/gm)].map(
      ([, work = "", rest = ""]) => {
        const [who = "", wall, , , memory] = rest.split("|").map((cell) => cell.trim().replaceAll("`", ""));
        return { repository, work, who, wall: Number(wall), memory: Number(memory) };
      },
    );
  });
}

/**
 * The picture: for each panel and repository, a bar for each contestant.
 *
 * @param {string} text The tables.
 */
export function picture(text) {
  const rows = measuredIn(text).filter(({ who }) => !LEFT_OUT.test(who));
  /** @type {string[]} */
  const parts = [];
  let y = 12;
  for (const { title, unit, work, value } of panels) {
    const shown = rows.filter((row) => row.work === work);
    const longest = Math.max(...shown.map(value));
    y += 22;
    parts.push(`<text x="16" y="${y}" class="title">${escaped(title)}</text>`);
    y += 8;
    for (const repository of new Set(shown.map((row) => row.repository))) {
      y += 18;
      parts.push(`<text x="16" y="${y}" class="repository">${escaped(repository)}</text>`);
      y += 8;
      for (const row of shown.filter((row) => row.repository === repository)) {
        const width = Math.max(1, Math.round((value(row) / longest) * (WIDTH - LABELS - 110)));
        const kind = row.who === "refsync" ? "ours" : "theirs";
        parts.push(
          `<text x="${LABELS - 8}" y="${y + BAR - 5}" class="who">${escaped(row.who)}</text>`,
          `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" class="${kind}" />`,
          `<text x="${LABELS + width + 8}" y="${y + BAR - 5}">${value(row)}${unit}</text>`,
        );
        y += BAR + GAP;
      }
    }
    y += 12;
  }
  const alternative = panels.map(({ title }) => title).join("; ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escaped(alternative)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .repository { fill: #59636e }
  .who { text-anchor: end }
  .ours { fill: #1f6feb }
  .theirs { fill: #afb8c1 }
</style>
<rect width="${WIDTH}" height="${y}" rx="8" fill="#ffffff" />
${parts.join("\n")}
</svg>
`;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

if (isMain(import.meta.url)) {
  await main(async () => writeFileSync(paths.picture, picture(readFileSync(paths.page, "utf8"))));
}
