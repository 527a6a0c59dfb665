// The documentation site: its pages, their order, and the local search. `npm run docs` builds it to target/site.
import { fileURLToPath } from "node:url";

import { rewriteLink } from "../links.mjs";

/**
 * The part of markdown-it that is used.
 *
 * @typedef {{ type: string, children: Token[] | null, attrGet(name: string): string | null, attrSet(name: string, value: string): void }} Token
 * @typedef {{ tokens: Token[], env: { relativePath: string } }} State
 * @typedef {{ core: { ruler: { push(name: string, rule: (state: State) => void): void } } }} Markdown
 */

// This folder's packages are not installed where only the types of scripts are checked.
const slugger = "github-slugger";
const { slug } = await import(slugger);

/** @param {string} path */
const inCheckout = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const sidebar = [
  {
    text: "Start",
    items: [
      { text: "First steps", link: "/start" },
      { text: "Performance", link: "/performance" },
      { text: "Scale", link: "/scale" },
      { text: "Security", link: "/security" },
      { text: "Changelog", link: "/changelog" },
    ],
  },
  {
    text: "Guides",
    items: [
      { text: "A Node script", link: "/guides/node-script" },
      { text: "A dashboard", link: "/guides/dashboard" },
      { text: "Next", link: "/guides/next" },
      { text: "SvelteKit", link: "/guides/sveltekit" },
      { text: "An edge worker", link: "/guides/edge-worker" },
      { text: "The engine in a page", link: "/guides/browser" },
      { text: "Continuous integration", link: "/guides/ci" },
      { text: "Sync at once", link: "/guides/triggers" },
      { text: "Webhooks", link: "/guides/webhooks" },
      { text: "Know when a mirror is behind", link: "/guides/freshness" },
      { text: "Credentials", link: "/guides/credentials" },
      { text: "Your own service", link: "/guides/self-hosting" },
      { text: "Hosted Mesa", link: "/guides/hosted-mesa" },
    ],
  },
  {
    text: "Concepts",
    items: [
      { text: "What moves, and what does not", link: "/concepts/what-moves" },
      { text: "Outcomes and reasons", link: "/concepts/outcomes" },
      { text: "Globs", link: "/concepts/globs" },
      { text: "Policies", link: "/concepts/policies" },
    ],
  },
  {
    text: "Reference",
    items: [
      { text: "Command line", link: "/reference/command-line" },
      { text: "JavaScript", link: "/reference/javascript" },
      // typedoc writes it; it is not a page of VitePress.
      { text: "API reference", link: "/reference/api/index.html", target: "_self" },
      { text: "REST API", link: "/reference/rest" },
      { text: "Error codes", link: "/reference/errors" },
      { text: "Configuration", link: "/reference/configuration" },
    ],
  },
];

export default {
  title: "refsync",
  description: "Keeps a Git repository and its upstream in step.",
  lang: "en",
  srcDir: inCheckout("docs"),
  outDir: inCheckout("target/site"),
  cacheDir: inCheckout("target/site-cache"),
  // The pages are not below this folder, so Vite does not find Vue for them.
  vite: {
    resolve: {
      alias: ["vue/server-renderer", "vue"].map((name) => ({
        find: new RegExp(`^${name}$`),
        replacement: fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)),
      })),
    },
  },
  lastUpdated: false,
  head: [["link", { rel: "icon", type: "image/svg+xml", href: "/favicon.svg" }]],
  markdown: {
    linkify: false,
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    // The anchors are those of code hosts, so that one link works in both places.
    anchor: { slugify: (/** @type {string} */ text) => slug(text) },
    toc: { slugify: (/** @type {string} */ text) => slug(text) },
    /** @param {Markdown} md */
    config: (md) => {
      md.core.ruler.push("links", ({ tokens, env }) => {
        for (const { children } of tokens) {
          for (const token of children ?? []) {
            const href = token.attrGet("href");
            if (token.type === "link_open" && href !== null) token.attrSet("href", rewriteLink(href, env.relativePath));
          }
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar,
    logo: { src: "/favicon.svg", alt: "" },
    siteTitle: "refsync",
    nav: [
      { text: "Start", link: "/start" },
      { text: "Guides", link: "/guides/node-script", activeMatch: "/guides/" },
      { text: "Concepts", link: "/concepts/what-moves", activeMatch: "/concepts/" },
      { text: "Reference", link: "/reference/command-line", activeMatch: "/reference/" },
    ],
  },
};
