/** Makes, changes and deletes a repository and its upstream with the page's dialogs. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openSignedIn } from "../support/browser/page.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/service/serve.mjs";

/**
 * @import { Browser } from "playwright-core"
 * @import { Served } from "../support/service/serve.mjs"
 */

const UPSTREAM = "https://git.example.org/app.git";

/** @type {Served} */
let service;
/** @type {Browser} */
let browser;

/**
 * A repository, as the service shows it.
 *
 * @param {string} name
 */
const repo = (name) => service.api("GET", `/${service.org}/${name}`);

/** @param {string} [name] */
async function open(name) {
  const opened = await openSignedIn(browser, service);
  if (name) {
    await opened.page.getByRole("navigation", { name: "Repositories" }).getByRole("link", { name }).click();
    await opened.page.getByRole("heading", { level: 1, name }).waitFor();
  }
  return opened;
}

before(async () => {
  [service, browser] = await Promise.all([serve(), launch()]);
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

test("an empty organisation says what to do, and a new repository opens", async () => {
  const { page, close } = await open();
  await page.getByRole("heading", { name: "No repository yet" }).waitFor();
  await page.locator(".blank").getByRole("button", { name: "New repository" }).click();
  const dialog = page.getByRole("dialog", { name: "New repository" });
  await dialog.getByLabel("Name", { exact: true }).fill("app");
  await dialog.getByLabel(/Upstream URL/).fill(UPSTREAM);
  await dialog.getByLabel("Credential").selectOption("token");
  await dialog.getByLabel("Token", { exact: true }).fill("s3cret");
  await dialog.getByRole("button", { name: "Create repository" }).click();
  await page.getByRole("heading", { level: 1, name: "app" }).waitFor();
  const { upstream, default_bookmark: branch } = await repo("app");
  assert.deepEqual([upstream.url, upstream.auth_kind, branch], [UPSTREAM, "token", "main"]);
  assert.match(present(await page.locator("[data-card=upstream]").textContent()), /Token, stored encrypted/);
  await close();
});

test("a name that is not allowed is explained, and the dialog stays open", async () => {
  const { page, close } = await open();
  await page.getByRole("button", { name: "New repository" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New repository" });
  await dialog.getByLabel("Name", { exact: true }).fill("no spaces");
  await dialog.getByRole("button", { name: "Create repository" }).click();
  const reason = dialog.getByRole("alert").filter({ hasText: /./ }).first();
  await reason.waitFor();
  assert.equal(await dialog.getByLabel("Name", { exact: true }).getAttribute("aria-invalid"), "true");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await close({ refusals: [400] });
});

test("another address keeps the stored credential, and removing the upstream removes it", async () => {
  const { page, close } = await open("app");
  await page.getByRole("button", { name: "Edit upstream" }).click();
  await page.getByLabel("Upstream URL").fill(`${UPSTREAM}/moved`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("[data-card=upstream]").getByText(`${UPSTREAM}/moved`).waitFor();
  const { upstream } = await repo("app");
  assert.deepEqual([upstream.url, upstream.auth_kind], [`${UPSTREAM}/moved`, "token"]);

  await page.getByRole("button", { name: "Remove upstream" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove upstream" }).click();
  await page.getByRole("button", { name: "Add upstream" }).waitFor();
  assert.equal((await repo("app")).upstream, null);
  await close();
});

test("a renamed repository is found under its new name", async () => {
  const { page, close } = await open("app");
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByLabel("Name", { exact: true }).fill("site");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: "site" }).waitFor();
  assert.equal((await repo("site")).name, "site");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "site" }).waitFor();
  await close();
});

test("a repository is deleted only once its name is typed", async () => {
  const { page, close } = await open("site");
  await page.getByRole("button", { name: "Delete" }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete repository" });
  assert.ok(await confirm.isDisabled());
  await page.getByLabel("Type site to confirm").fill("site");
  await confirm.click();
  await page.getByRole("heading", { name: "No repository yet" }).waitFor();
  await assert.rejects(repo("site"), /404/);
  await close();
});

test("the page fits a screen of 360 pixels, where the list and the repository take turns", async () => {
  await service.api("POST", `/${service.org}/repos`, { name: "a-name-".repeat(12), upstream: { url: UPSTREAM } });
  const { page, close } = await openSignedIn(browser, service, {
    viewport: { width: 360, height: 740 },
  });
  const link = page.getByRole("link", { name: /^a-name/ });
  await link.click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `nothing is cut off, ${overflow} px are`);
  assert.ok(await link.isHidden());
  await page.getByRole("link", { name: "Repositories", exact: true }).click();
  await link.waitFor();
  await close();
});
