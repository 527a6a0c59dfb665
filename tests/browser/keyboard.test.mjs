/** The keyboard focus keeps its place, and a direct link opens its target. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { launch, openPage, openSignedIn, sync } from "../support/browser/page.mjs";
import { present } from "../support/present.mjs";

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
  });
  browser = await launch();
  const { service, tree } = hosted;
  // Its only branch has diverged from the upstream's branch.
  const upstream = {
    url: service.remote("origin"),
    auth: { kind: "username_password", username: "git", password: service.apiKey },
  };
  await service.api("POST", `/${service.org}/repos`, { name: "diverged", upstream });
  await tree.git("checkout", "--quiet", "--orphan", "other");
  await tree.commit("another root");
  await tree.git("push", "--quiet", service.gitUrl("diverged"), "other:main");
  for (let n = 0; n < 5; n += 1) await service.api("POST", `/${service.org}/repos`, { name: `more-${n}` });
});

after(async () => {
  await browser?.close();
  await hosted?.stop();
});

/**
 * The focused element, in words.
 *
 * @param {import("playwright-core").Page} page
 */
const focused = (page) =>
  page.evaluate(() => {
    const element = /** @type {HTMLElement} */ (document.activeElement);
    return element.dataset.direction ?? element.getAttribute("aria-label") ?? element.textContent ?? "";
  });

for (const direction of /** @type {const} */ (["pull", "push"])) {
  test(`the focus stays with the button after a ${direction}`, async () => {
    const { page, close } = await hosted.open();
    const button = page.locator(`button[data-direction=${direction}]`);
    await button.focus();
    await page.keyboard.press("Enter");
    // A second press while the first one is in progress does nothing.
    await page.keyboard.press("Enter");
    await page.locator("[data-run-status=completed]").waitFor();
    assert.equal(await focused(page), direction);
    await close();
  });
}

test("the focus goes to the button that did the same, when a preview is carried out", async () => {
  const { page, close } = await hosted.open();
  await page.getByRole("button", { name: "Preview pull" }).click();
  await page.getByRole("button", { name: "Pull now" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-run-status=completed]").waitFor();
  assert.equal(await focused(page), "pull");
  await close();
});

test("the first stop of the keyboard skips the list", async () => {
  const { page, close } = await hosted.open();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "app" }).waitFor();
  const address = page.url();
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the repository");
  const shown = present(await page.locator(".skip").boundingBox());
  assert.ok(shown.y >= 0 && shown.height > 20, "it is seen while it has the focus");
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "app");
  assert.equal(page.url(), address);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Edit", "the next stop is behind the list");
  await close();
});

test("a direct link does not wait for the list", async () => {
  const { service } = hosted;
  const { page, close } = await openSignedIn(browser, service);
  await page.getByRole("link", { name: /^app/ }).waitFor();
  /** @type {() => void} */
  let release = () => {};
  const released = new Promise((done) => {
    release = () => done(undefined);
  });
  await page.route(/\/repos\?/, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(`${service.origin}/#/repos/app`);
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "app" }).waitFor();
  assert.match(present(await page.locator(".sidebar .count").textContent()), /^1…$/, "the list is not there");
  await page.evaluate(() => {
    location.hash = "#/repos/missing";
  });
  await page.getByRole("heading", { name: "No such repository" }).waitFor();
  release();
  await page.getByRole("link", { name: /^more-4/ }).waitFor();
  await page.getByRole("heading", { name: "No such repository" }).waitFor();
  const names = await page.locator(".repo-name").allTextContents();
  assert.deepEqual(names, ["more-4", "more-3", "more-2", "more-1", "more-0", "diverged", "app", "origin"]);
  await close({ refusals: [404] });
});

test("others are said to be synced only if there are others", async () => {
  const { page, close } = await hosted.open("diverged");
  await page.getByLabel("Branches").fill("main");
  assert.equal(await sync(page, "pull"), "completed");
  const notice = page.locator(".notice-warn");
  assert.match(
    present(await notice.textContent()),
    /One ref was rejected and stays as it was at the destination\.(?! All)/,
  );
  await close();
});

test("the form asks for a key only: the page's policy lets it call no other service", async () => {
  const { page, close } = await openPage(browser, `${hosted.service.origin}/`);
  await page.getByLabel("API key").waitFor();
  assert.equal(await page.locator("input").count(), 1);
  await close();
});
