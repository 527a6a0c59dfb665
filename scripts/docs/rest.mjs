// Writes docs/reference/rest.md from the OpenAPI document: `node scripts/docs/rest.mjs`. A test fails if the page is out of
// date. The page is plain Markdown for GitHub and for the site.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root } from "../command.mjs";

/** @typedef {import("../../tests/support/json.mjs").Json} Json */

const file = join(root, "docs/reference/rest.md");

/** The OpenAPI document. */
export function openapi() {
  return JSON.parse(readFileSync(join(root, "src/service/router/openapi/openapi.json"), "utf8"));
}

/**
 * The page.
 *
 * @param {Json} document
 * @returns {string}
 */
export function restPage(document) {
  const operations = Object.entries(/** @type {Record<string, Json>} */ (document.paths)).flatMap(([path, item]) =>
    ["get", "post", "patch", "delete"]
      .filter((method) => item[method])
      .map((method) => ({ method: method.toUpperCase(), path: `/v1${path}`, item, operation: item[method] })),
  );
  const webhooks = Object.entries(/** @type {Record<string, Json>} */ (document.webhooks));
  const parts = [
    "# REST API",
    note,
    text(document.info.description),
    "## Credentials",
    "Send a credential with each call: `Authorization: Bearer <credential>`. There are two kinds:",
    Object.values(/** @type {Record<string, Json>} */ (document.components.securitySchemes))
      .map(({ description }) => `- ${text(description)}`)
      .join("\n"),
    "## Refusals",
    "Every answer that is not 2xx has an [ErrorBody](#errorbody). [Error codes](errors.md) lists every code with its remedy.",
    table(
      ["status", "meaning"],
      Object.entries(/** @type {Record<string, Json>} */ (document.components.responses)).map(
        ([name, { description }]) => [name.replace("refused_", ""), description],
      ),
    ),
  ];
  for (const { name, description } of /** @type {Json[]} */ (document.tags)) {
    parts.push(`## ${name}`, text(description));
    for (const { method, path, item, operation } of operations) {
      if (operation.tags[0] === name) parts.push(...operationParts(document, method, path, item, operation));
    }
    for (const [event, { post }] of webhooks) {
      if (post.tags[0] === name) parts.push(...eventParts(document, event, post));
    }
  }
  parts.push(
    "## Shapes",
    "The JSON objects of requests and answers. A request may leave out the fields that are not required.",
  );
  for (const [name, schema] of Object.entries(/** @type {Record<string, Json>} */ (document.components.schemas))) {
    parts.push(...shapeParts(name, schema));
  }
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

const note =
  "This page is made from the OpenAPI document, which every service also serves at `/v1/openapi.json`. " +
  "Do not edit it: the texts are doc comments in `src/api`.";

/**
 * @param {Json} document
 * @param {string} method
 * @param {string} path
 * @param {Json} item
 * @param {Json} operation
 */
function operationParts(document, method, path, item, operation) {
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
    resolved(document, parameter),
  );
  const [status, answer] = Object.entries(/** @type {Record<string, Json>} */ (operation.responses))[0] ?? ["", {}];
  return [
    `### ${operation.summary}`,
    fenced("text", `${method} ${path}`),
    text(operation.description),
    parameters.length === 0
      ? ""
      : table(
          ["parameter", "in", "type", "meaning"],
          parameters.map(({ name, in: place, schema, description }) => [
            `\`${name}\``,
            place,
            typeOf(schema),
            description,
          ]),
        ),
    ...bodyParts("Body", operation.requestBody),
    ...bodyParts(`Answer: ${status}`, answer),
  ];
}

/**
 * @param {Json} document
 * @param {string} event
 * @param {Json} post
 */
function eventParts(document, event, post) {
  const [header] = post.parameters.map((/** @type {Json} */ parameter) => resolved(document, parameter));
  return [
    `### \`${event}\``,
    `${text(post.summary)}. ${text(post.description)}`,
    `Header \`${header.name}\`: ${text(header.description)}`,
    ...bodyParts("Body", post.requestBody),
  ];
}

/**
 * A text is shown as it is.
 *
 * @param {Json} shown
 */
function exampleOf(shown) {
  if (shown === undefined) return "";
  return typeof shown === "string" ? fenced("text", shown.trimEnd()) : fenced("json", JSON.stringify(shown, null, 2));
}

/**
 * @param {string} title
 * @param {Json | undefined} body
 */
function bodyParts(title, body) {
  const [media] = Object.entries(/** @type {Record<string, Json>} */ (body?.content ?? {}));
  if (!media) return [];
  const [type, { schema, example, examples }] = media;
  const shown = example ?? Object.values(/** @type {Record<string, Json>} */ (examples ?? {}))[0]?.value;
  const kind = type === "application/json" ? typeOf(schema) : `\`${type}\``;
  return [`**${title}**: ${kind}`, exampleOf(shown)];
}

/**
 * @param {string} name
 * @param {Json} schema
 */
function shapeParts(name, schema) {
  const heading = [`### ${name}`, text(schema.description)];
  const words = /** @type {Json[] | undefined} */ (schema.oneOf);
  if (words?.every((word) => "const" in word)) {
    return [
      ...heading,
      table(
        ["word", "meaning"],
        words.map((word) => [`\`${word.const}\``, word.description]),
      ),
    ];
  }
  if (words) return [...heading, ...words.flatMap((kind) => [text(kind.description), fieldTable(kind)])];
  return [...heading, fieldTable(schema)];
}

/** @param {Json} schema */
function fieldTable({ properties = {}, required = [] }) {
  const rows = Object.entries(/** @type {Record<string, Json>} */ (properties)).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    required.includes(name) ? "yes" : "",
    field.description ?? `Always \`${field.const}\`.`,
  ]);
  return table(["field", "type", "required", "meaning"], rows);
}

/**
 * A schema in a few words, with links to shapes.
 *
 * @param {Json} schema
 * @returns {string}
 */
function typeOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  // The other part of a webhook's schema only says its type.
  if (schema.allOf) return typeOf(schema.allOf[0]);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ word) => `\`${word}\``).join(", ");
  if ("const" in schema) return `\`${schema.const}\``;
  const types = /** @type {string[]} */ ([schema.type].flat());
  const names = types.map((type) => {
    if (type === "array") return `array of ${typeOf(schema.items)}`;
    if (type === "object" && typeof schema.additionalProperties === "object") {
      return `object of ${typeOf(schema.additionalProperties)}`;
    }
    return type;
  });
  const { minimum, maximum, default: preset } = schema;
  const range = maximum === undefined ? "" : `, ${minimum} to ${maximum}`;
  return names.join(" or ") + range + (preset === undefined ? "" : `, default ${JSON.stringify(preset)}`);
}

/**
 * @param {Json} document
 * @param {Json} parameter
 * @returns {Json}
 */
function resolved(document, parameter) {
  return parameter.$ref ? document.components.parameters[parameter.$ref.split("/").at(-1)] : parameter;
}

/**
 * @param {string[]} heads
 * @param {string[][]} rows
 */
function table(heads, rows) {
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell) => text(cell).replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * @param {string} language
 * @param {string} code
 */
function fenced(language, code) {
  return `\`\`\`${language}\n${code}\n\`\`\``;
}

/**
 * Text for Markdown. A `<` that is not in code would begin a tag.
 *
 * @param {string} words
 */
function text(words = "") {
  return words.replaceAll(/(`[^`]*`)|</g, (match, code) => (code ? match : "&lt;"));
}

if (isMain(import.meta.url)) await main(async () => writeFileSync(file, restPage(openapi())));
