/** How each block of the documents is checked. A block that nothing checks fails a test. */

/** @import { Block } from "./documents.mjs" */

/**
 * `typed`: typed into a shell. `run`: compiled and run. `compiled`: compiled only. `parsed`: it must have the form of its
 * language. `generated`: a script writes it. `read`: nothing checks it; the reason is in {@link READ}.
 *
 * @typedef {"typed" | "run" | "compiled" | "parsed" | "generated" | "read"} Check
 */

/**
 * Documents whose programs need a framework. `npm test` compiles them. `npm run test:frameworks` puts them into an app, builds
 * it and opens its page.
 */
export const FRAMEWORKS = ["docs/guides/next.md", "docs/guides/sveltekit.md"];

/**
 * The texts that scripts write or measure, by their documents. Another test compares them with their source.
 *
 * @type {Record<string, RegExp>}
 */
const GENERATED = {
  "CONTRIBUTING.md": /^pkg\/src\/client\/repos\.ts\n/,
  "docs/reference/command-line.md": /^refsync [a-z]/,
  "docs/reference/rest.md": /^((GET|POST|PATCH|DELETE) \/v1\/|# TYPE refsync_|<svg )/,
};

/**
 * Blocks that nothing checks, by their document and first line, each with the reason.
 *
 * @type {Record<string, Record<string, string>>}
 */
export const READ = {
  "CONTRIBUTING.md": {
    "src/                The Rust crate. lib.rs opens with how data flows.": "the folders of the checkout",
  },
  "docs/guides/next.md": { "REFSYNC_URL=http://127.0.0.1:8722": "the content of .env.local" },
  "docs/guides/sveltekit.md": { "REFSYNC_URL=http://127.0.0.1:8722": "the content of .env" },
};

/**
 * The check of a block; undefined if there is none.
 *
 * @param {string} document
 * @param {Block} block
 * @returns {Check | undefined}
 */
export function checkOf(document, { language, text }) {
  switch (language) {
    case "sh":
      return "typed";
    case "js":
    case "ts":
      return FRAMEWORKS.includes(document) ? "compiled" : "run";
    case "tsx":
    case "svelte":
      return "compiled";
    case "json":
    case "yaml":
      return "parsed";
    case "text":
      if (GENERATED[document]?.test(text)) return "generated";
      return Object.hasOwn(READ[document] ?? {}, firstLine(text)) ? "read" : undefined;
    default:
      return undefined;
  }
}

/**
 * The name of the file that a block shows. Its first line is a comment with the name.
 *
 * @param {string} text
 */
export function fileOf(text) {
  const [, name] = /^(?:\/\/|#|<!--) (\S+\.\w+)(?: -->)?$/.exec(firstLine(text)) ?? [];
  return name;
}

/** @param {string} text */
export function firstLine(text) {
  return text.split("\n", 1)[0] ?? "";
}
