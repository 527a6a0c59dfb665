/** Chart.js with only the parts that this page needs. */

import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

export { Chart };

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** Calls `draw` again when the colour scheme changes. Returns a function that stops this. */
export function onRecolour(draw: () => void): () => void {
  DARK.addEventListener("change", draw);
  return () => DARK.removeEventListener("change", draw);
}

/** The page's colours and font at the place of `element`. */
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
