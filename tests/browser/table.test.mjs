/** The table of a run with thousands of refs. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { sync, tableRows } from "../support/browser/page.mjs";
import { refsOf } from "../support/git/git.mjs";
import { present } from "../support/present.mjs";

const TAGS = 3000;

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    for (let tag = 0; tag < TAGS; tag += 500) {
      const names = Array.from({ length: 500 }, (_, index) => `refs/tags/build-${tag + index}`);
      await tree.git("fetch", "--quiet", ".", ...names.map((name) => `HEAD:${name}`));
    }
  });
});

after(() => hosted?.stop());

test("a page of rows is in the document, and every ref can be reached", async () => {
  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed");
  const shown = page.locator(".shown");
  const expected = await refsOf(hosted.service.gitUrl("app"));
  assert.equal(Object.keys(expected).length, TAGS + 1, "Git has them all");
  assert.match(present(await shown.textContent()), /of 3,001$/);
  const rows = await page.locator("tr[data-ref]").count();
  assert.ok(rows <= 100, `${rows} rows at once`);

  await page.getByRole("button", { name: "Last", exact: true }).click();
  assert.match(present(await shown.textContent()), /to 3,001 of 3,001$/);
  await page.getByLabel(/Filter refs/).fill("build-2999");
  await page.locator('tr[data-ref="refs/tags/build-2999"]').waitFor();
  const rowsLeft = Object.entries(await tableRows(page)).map(([name, row]) => [name, row.after]);
  assert.deepEqual(rowsLeft, [["refs/tags/build-2999", expected["refs/tags/build-2999"]]]);
  await close();
});
