/**
 * Accessibility of the page: axe finds no error on any screen in either colour scheme, and everything works with the
 * keyboard alone.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { sync } from "../support/browser/page.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    await tree.git("tag", "v1.0");
    await tree.git("branch", "release/1.0");
  });
  const { service, tree } = hosted;
  // One ref is rejected, so that every kind of notice is on the page.
  await tree.git("checkout", "--quiet", "release/1.0");
  await tree.commit("on app only");
  await tree.git("push", "--quiet", service.gitUrl("app"), "release/1.0");
  const url = "http://127.0.0.1:9/nothing.git";
  await service.api("POST", `/${service.org}/repos`, { name: "stranded", upstream: { url } });
  await service.api("POST", `/${service.org}/repos`, { name: "alone" });
});

after(() => hosted?.stop());

/**
 * The errors that axe reports, one per line: the rule, and where it is broken.
 *
 * @param {import("playwright-core").Page} page
 */
async function violations(page) {
  // Uses the debugger, because the page's own policy blocks other scripts.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = /** @type {{ axe: typeof import("axe-core") }} */ (/** @type {unknown} */ (globalThis));
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, target }) => `${id}: ${target} ${html.slice(0, 120)}`),
    );
  });
}

/** @type {Record<string, import("playwright-core").BrowserContextOptions>} */
const looks = {
  "light and wide": { colorScheme: "light" },
  "dark and wide": { colorScheme: "dark" },
  "light and narrow": { colorScheme: "light", viewport: { width: 360, height: 740 } },
  "dark and narrow": { colorScheme: "dark", viewport: { width: 360, height: 740 } },
};

for (const [look, options] of Object.entries(looks)) {
  test(`axe finds nothing, ${look}`, async () => {
    const { page, close } = await hosted.open("app", options);
    /** @param {string} screen */
    const judge = async (screen) => {
      assert.deepEqual(await violations(page), [], screen);
      const { width, room } = await page.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        room: innerWidth,
      }));
      assert.ok(width <= room, `${screen}: ${width} pixels in ${room}, so that it scrolls sideways`);
    };
    await page.getByRole("button", { name: "Preview pull" }).click();
    await page.getByRole("heading", { name: "What a pull would do now" }).waitFor();
    await judge("a preview");
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(await sync(page, "pull"), "completed");
    await judge("a run with a rejected ref");
    await page.getByRole("button", { name: "Edit upstream" }).click();
    await page.getByRole("dialog").waitFor();
    await judge("a dialog");
    await page.keyboard.press("Escape");
    await page.goto(`${new URL(page.url()).origin}/#/repos/alone`);
    await page.getByRole("heading", { level: 1, name: "alone" }).waitFor();
    await judge("a repository without an upstream");
    await page.goto(`${new URL(page.url()).origin}/#/repos/stranded`);
    await page.getByRole("heading", { level: 1, name: "stranded" }).waitFor();
    assert.equal(await sync(page, "pull"), "failed");
    await judge("a failed run");
    await page.goto(`${new URL(page.url()).origin}/#/repos/there-is-none`);
    await page.getByRole("heading", { name: "No such repository" }).waitFor();
    await judge("an address of nothing");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await judge("the form that asks for a key");
    await close();
  });
}

test("the keyboard alone filters refs, previews and pulls", async () => {
  const { page, close } = await hosted.open();
  /**
   * Presses Tab until the element with this name has the focus.
   *
   * @param {RegExp} name
   */
  const tabTo = async (name) => {
    for (let presses = 0; presses < 60; presses += 1) {
      const focused = await page.evaluate(() => {
        const on = /** @type {HTMLInputElement | null} */ (document.activeElement);
        return on?.getAttribute("aria-label") ?? on?.labels?.[0]?.textContent ?? on?.textContent ?? "";
      });
      if (name.test(focused)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  await tabTo(/^Branches/);
  await page.keyboard.press("Control+A");
  await page.keyboard.type("main");
  await tabTo(/^Preview pull$/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What a pull would do now" }).waitFor();
  await tabTo(/^Pull now$/);
  const before = await page.locator("[data-run-id]").getAttribute("data-run-id");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (old) => {
      /** @type {HTMLElement | null} */
      const run = document.querySelector("[data-run-id]");
      return run?.dataset.runId !== old && run?.dataset.runStatus === "completed";
    },
    before,
    { timeout: 60_000 },
  );
  await tabTo(/^Filter refs/);
  await page.keyboard.type("no such ref");
  await page.getByText("No ref matches the filter.").waitFor();
  await close();
});
