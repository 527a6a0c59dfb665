/** Line icons, drawn on a 16 × 16 grid. They decorate text that says the same, so they are hidden from a screen reader. */

const PATHS = {
  branch:
    "M4.5 5v6m0-6a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Zm0 6a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Zm7-4.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Zm0 0c0 3-7 1.500-7 4.500",
  check: "m3 8.500 3.500 3.500L13 4.500",
  chevron: "m6 3.500 4.500 4.500L6 12.500",
  back: "M10 3.500 5.500 8l4.500 4.500",
  clock: "M8 4.500V8l2.500 1.500M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z",
  copy: "M5.500 5.500v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2m-7-5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1Z",
  cross: "m4 4 8 8m0-8-8 8",
  equal: "M3.500 6h9m-9 4h9",
  filter: "M2.500 3.500h11L9.500 8.500v4l-3-1.500v-2.500l-4-5Z",
  key: "M10.500 9a3.500 3.500 0 1 0-3.300-2.300L2.500 11.400V13.500H5v-1.500h1.500v-1.500L8.300 8.700A3.500 3.500 0 0 0 10.500 9Zm.5-3.500h.01",
  pencil: "m10.500 3 2.500 2.500-7.500 7.500H3v-2.500L10.500 3Z",
  plus: "M8 3v10M3 8h10",
  pull: "M8 2.500v8m0 0L4.500 7M8 10.500 11.500 7M3 13.500h10",
  push: "M8 10.500v-8m0 0L4.500 6M8 2.500 11.500 6M3 13.500h10",
  refresh: "M13 8a5 5 0 1 1-1.500-3.600M13 2.500v2.500h-2.500",
  repository:
    "M4 2.500h8.500v11H4a1.500 1.500 0 0 1-1.500-1.500V4A1.500 1.500 0 0 1 4 2.500Zm-1.500 9.500A1.500 1.500 0 0 1 4 10.500h8.500M6 5h3.500",
  spinner: "M8 2a6 6 0 1 1-6 6",
  tag: "M2.500 7.500v-5h5l6 6-5 5-6-6ZM5 5h.01",
  trash: "M3 4.500h10m-6.500-2h3m-5.500 2 .5 9h7l.5-9M6.500 7v4m3-4v4",
  warning: "M8 6v3m0 2.500h.01M8 2 1.500 13.500h13L8 2Z",
} as const;

/** The name of an icon. */
export type Icon = keyof typeof PATHS;

/** One icon, as large as the text around it. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI as "http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
