// docs/reference/rest.md is made from the OpenAPI document.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../../../scripts/command.mjs";
import { openapi, restPage } from "../../../scripts/docs/rest.mjs";

const page = readFileSync(join(root, "docs/reference/rest.md"), "utf8");

test("the page is the one that the document makes", () => {
  assert.ok(page === restPage(openapi()), "run `node scripts/docs/rest.mjs` and look at what changed");
});

test("the page has every operation, every event and every shape of the document", () => {
  const document = openapi();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of Object.keys(item).filter((key) => key !== "parameters")) {
      assert.ok(page.includes(`\n${method.toUpperCase()} /v1${path}\n`), `${method} ${path}`);
    }
  }
  for (const event of Object.keys(document.webhooks)) assert.ok(page.includes(`\n### \`${event}\`\n`), event);
  for (const shape of Object.keys(document.components.schemas)) assert.ok(page.includes(`\n### ${shape}\n`), shape);
});

test("nothing on the page is a tag or a template for the site", () => {
  const plain = page.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
  assert.doesNotMatch(plain, /<|\{\{/);
});

test("every link on the page leads to a heading or to another page of the reference", () => {
  const anchors = new Set(
    [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title.toLowerCase().replaceAll(" ", "-")),
  );
  const links = [...page.matchAll(/\]\(([^)]*)\)/g)].map(([, link = ""]) => link);
  assert.ok(links.length > 80, `${links.length} links only`);
  for (const link of links) assert.ok(link === "errors.md" || anchors.has(link.replace(/^#/, "")), link);
});
