/** The table of a run with thousands of refs. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { refsOf, workTree } from "../support/git.mjs";
import { launch, openPage, sync, tableRows } from "../support/page.mjs";
import { serve } from "../support/serve.mjs";

const TAGS = 3000;

let service;
let browser;
let tree;

before(async () => {
  [service, browser, tree] = await Promise.all([serve(), launch(), workTree()]);
  await tree.commit("one");
  for (let tag = 0; tag < TAGS; tag += 500) {
    const names = Array.from({ length: 500 }, (_, index) => `refs/tags/build-${tag + index}`);
    await tree.git("fetch", "--quiet", ".", ...names.map((name) => `HEAD:${name}`));
  }
  await service.api("POST", `/${service.org}/repos`, { name: "origin" });
  await tree.git("push", "--quiet", service.gitUrl("origin"), "--all");
  await tree.git("push", "--quiet", service.gitUrl("origin"), "--tags");
  const auth = { kind: "token", token: service.apiKey };
  await service.api("POST", `/${service.org}/repos`, {
    name: "app",
    upstream: { url: service.remote("origin"), auth },
  });
});

after(async () => {
  await browser?.close();
  await service?.stop();
  await tree?.remove();
});

test("a page of rows is in the document, and every ref can be reached", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/#key=${service.apiKey}`);
  await page.getByRole("navigation", { name: "Repositories" }).getByRole("link", { name: /^app/ }).click();
  assert.equal(await sync(page, "pull"), "completed");
  const shown = page.locator(".shown");
  const expected = await refsOf(service.gitUrl("app"));
  assert.equal(Object.keys(expected).length, TAGS + 1, "Git has them all");
  assert.match(await shown.textContent(), /of 3,001$/);
  const rows = await page.locator("tr[data-ref]").count();
  assert.ok(rows <= 100, `${rows} rows at once`);

  await page.getByRole("button", { name: "Last", exact: true }).click();
  assert.match(await shown.textContent(), /to 3,001 of 3,001$/);
  await page.getByLabel(/Filter refs/).fill("build-2999");
  await page.locator('tr[data-ref="refs/tags/build-2999"]').waitFor();
  const rowsLeft = Object.entries(await tableRows(page)).map(([name, row]) => [name, row.after]);
  assert.deepEqual(rowsLeft, [["refs/tags/build-2999", expected["refs/tags/build-2999"]]]);
  await close();
});
