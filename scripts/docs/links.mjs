// SECURITY.md and CHANGELOG.md stay at the top of the checkout, where people look for them. They are pages of the site too.

/** The pages that show a file of the checkout's top, by that file. */
const pages = new Map([
  ["SECURITY.md", "security.md"],
  ["CHANGELOG.md", "changelog.md"],
]);

/**
 * A link of a page, as the site needs it. Links that lead to neither file stay as they are.
 *
 * @param {string} href
 * @param {string} page The page's path from docs, such as `guides/webhooks.md`.
 */
export function rewriteLink(href, page) {
  const [path = "", anchor] = href.split("#");
  const isAtTop = [...pages.values()].includes(page);
  const up = "../".repeat(page.split("/").length);
  // In a page that shows a file of the top, links are relative to the top.
  const fromTop = isAtTop ? path : path.startsWith(up) ? path.slice(up.length) : null;
  if (fromTop === null || path === "") return href;
  const inSite = pages.get(fromTop) ?? (isAtTop && fromTop.startsWith("docs/") ? fromTop.slice("docs/".length) : null);
  if (inSite === null) return href;
  return `/${inSite}${anchor === undefined ? "" : `#${anchor}`}`;
}
