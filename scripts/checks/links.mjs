// Checks the links of the documents, offline: `node scripts/checks/links.mjs`. Files, headings and images that a document
// names must exist. Of an address elsewhere only the form is checked.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

import { isMain, main, root, StepError, say } from "../command.mjs";
import { install } from "../install.mjs";

/** @typedef {{ state: string, parent: string, url: string }} Link A link of linkinator. */

const tools = join(root, "scripts/docs");

/** The documents in Markdown, as paths from the checkout. */
export function markdown() {
  const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).sort();
  return [
    ...["README.md", "pkg/README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
    ...pages.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
  ];
}

/**
 * The broken links of documents, one line each. Headings are named as code hosts and the site name them.
 *
 * @param {string[]} files Paths from `folder`.
 * @param {string} [folder]
 * @returns {Promise<string[]>}
 */
export async function brokenInMarkdown(files, folder = root) {
  await install(tools);
  const { engine } = await tool("unified-engine");
  const { remark } = await tool("remark");
  const { default: validateLinks } = await tool("remark-validate-links");
  let report = "";
  const streamError = new Writable({
    write(chunk, _, done) {
      report += chunk;
      done();
    },
  });
  const how = {
    cwd: folder,
    files,
    processor: remark(),
    plugins: [[validateLinks, { repository: false, root: folder }], wellFormed],
    detectConfig: false,
    detectIgnore: false,
    output: false,
    out: false,
    streamError,
    color: false,
    quiet: true,
  };
  await new Promise((resolve, reject) => {
    engine(how, (/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)));
  });
  return report.split("\n").filter((line) => line.trim() !== "");
}

/**
 * The broken links of a built site, one line each: pages, anchors, images and scripts. `count` is the number of all links.
 *
 * @param {string} folder
 * @returns {Promise<{ broken: string[], count: number }>}
 */
export async function brokenInSite(folder) {
  await install(tools);
  const { check } = await tool("linkinator");
  /** @type {{ links: Link[] }} */
  const { links } = await check({
    path: "/",
    serverRoot: folder,
    recurse: true,
    checkFragments: true,
    linksToSkip: async (/** @type {string} */ url) => !url.startsWith("http://localhost"),
  });
  const broken = links
    .filter(({ state }) => state === "BROKEN")
    .map(({ parent, url }) => `${pathOf(parent)}: ${pathOf(url)}`);
  return {
    broken: [...new Set(broken)].sort(),
    count: links.filter(({ state }) => state !== "SKIPPED").length,
  };
}

/** @param {string} url */
function pathOf(url) {
  return URL.canParse(url) ? url.slice(new URL(url).origin.length) : url;
}

/** A plugin of remark: an address elsewhere has a form that a browser understands. */
function wellFormed() {
  /** @typedef {{ url?: string, children?: Node[], position?: unknown }} Node */
  /**
   * @param {Node} node
   * @param {{ message(reason: string, place: unknown): void }} file
   */
  const visit = (node, file) => {
    if (node.url !== undefined && /^[a-z]+:/i.test(node.url) && !/^https?:\/\/[^/]/.test(node.url))
      file.message(`${node.url} is not an address with http or https`, node.position);
    for (const child of node.children ?? []) visit(child, file);
  };
  return visit;
}

/**
 * A package that only the documentation needs.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
function tool(name) {
  return import(pathToFileURL(createRequire(join(tools, "package.json")).resolve(name)).href);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const broken = await brokenInMarkdown(markdown());
    if (broken.length > 0) throw new StepError(broken.join("\n"));
    say("all links of the documents lead somewhere");
  });
}
