/** How a key comes to the page, and what happens when the service does not take it. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "../support/page.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/serve.mjs";

/**
 * @import { Browser } from "playwright-core"
 * @import { Served } from "../support/serve.mjs"
 */

/** @type {Served} */
let service;
/** @type {Browser} */
let browser;

before(async () => {
  [service, browser] = await Promise.all([serve(), launch()]);
  await service.api("POST", `/${service.org}/repos`, { name: "app" });
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

test("the key leaves the address and survives a reload", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/#key=${service.apiKey}`);
  await page.getByRole("link", { name: /^app/ }).waitFor();
  assert.ok(!page.url().includes("key="), page.url());
  await page.reload();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close();
});

test("without a key the page asks for one", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/`);
  await page.getByLabel("API key").fill(service.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close();
});

test("a wrong key returns to the form with the reason", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/#key=not-a-key`);
  await page.getByText("UNAUTHENTICATED").waitFor();
  assert.match(present(await page.getByRole("alert").first().textContent()), /does not take this key/);
  await page.getByLabel("API key").fill(service.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close({ refusals: [401] });
});

test("signing out forgets the key", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/#key=${service.apiKey}`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.reload();
  await page.getByLabel("API key").waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!stored.includes(service.apiKey), "no storage holds it any more");
  await close();
});
