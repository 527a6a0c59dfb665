/** Chart.js with the parts that this page draws with, and no others. */

import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

export { Chart };

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** Draws anew when the colour scheme changes; the answer ends that. */
export function onRecolour(draw: () => void): () => void {
  DARK.addEventListener("change", draw);
  return () => DARK.removeEventListener("change", draw);
}

/** The page's colours and type, as they are where `element` stands. */
export function stylesOf(element: Element): {
  colour: (name: string) => string;
  font: { family: string; size: number };
} {
  const style = getComputedStyle(element);
  return {
    colour: (name) => style.getPropertyValue(name).trim(),
    font: { family: style.fontFamily, size: 13 },
  };
}
