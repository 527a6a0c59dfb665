/** The dashboard in a real Chromium. Helpers use only the parts that a user sees. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { chromium as installed } from "../../../scripts/tools.mjs";

/** Starts the browser that set-up found, or the one that `CHROME_PATH` names. */
export function launch() {
  return chromium.launch({
    executablePath: installed() ?? undefined,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** @typedef {Awaited<ReturnType<typeof openPage>>} OpenedPage */

/**
 * Opens `address` in a fresh context, and records forbidden events there.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} address
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openPage(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  /** @type {string[]} */
  const complaints = [];
  const origin = new URL(address).origin;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  context.on("request", (request) => {
    const { origin: target, protocol } = new URL(request.url());
    if (protocol !== "data:" && target !== origin) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(address);
  return {
    page,
    /**
     * Closes the page. Fails if the page wrote an error to the console or called another origin. Chromium itself writes an
     * error for each answer that is not 2xx; `refusals` are the statuses that the test expects.
     *
     * @param {{ refusals?: number[] }} [provoked]
     */
    async close({ refusals = [] } = {}) {
      await context.close();
      /** @param {string} text */
      const expected = (text) => refusals.some((status) => text.includes(`responded with a status of ${status}`));
      assert.deepEqual(
        complaints.filter((text) => !expected(text)),
        [],
        "the page has a clean console and stays with its own origin",
      );
    },
  };
}

/**
 * Opens the page of a service, and types the key into its form.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {{ origin: string, apiKey: string }} service
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openSignedIn(browser, { origin, apiKey }, options = {}) {
  const opened = await openPage(browser, `${origin}/`, options);
  await opened.page.getByLabel("API key").fill(apiKey);
  await opened.page.getByRole("button", { name: "Connect" }).click();
  return opened;
}

/**
 * Presses Pull or Push and waits for the run's end. Returns its status.
 *
 * @param {import("playwright-core").Page} page
 * @param {"pull" | "push"} direction
 */
export async function sync(page, direction) {
  const before = await runId(page);
  await page.locator(`button[data-direction=${direction}]`).click();
  await page.waitForFunction(
    (old) => {
      /** @type {HTMLElement | null} */
      const run = document.querySelector("[data-run-id]");
      return run && run.dataset.runId !== old && ["completed", "failed"].includes(run.dataset.runStatus ?? "");
    },
    before,
    { timeout: 60_000 },
  );
  return page.locator("[data-run-status]").getAttribute("data-run-status");
}

/**
 * The id of the visible run, or null.
 *
 * @param {import("playwright-core").Page} page
 */
export async function runId(page) {
  const run = page.locator("[data-run-id]");
  return (await run.count()) > 0 ? run.getAttribute("data-run-id") : null;
}

/**
 * The rows of the table of refs, by ref name.
 *
 * @param {import("playwright-core").Page} page
 */
export async function tableRows(page) {
  const rows = await page.locator("tr[data-ref]").evaluateAll((/** @type {HTMLElement[]} */ all) =>
    all.map((row) => {
      /** @param {string} selector */
      const cell = (selector) => /** @type {HTMLElement} */ (row.querySelector(selector));
      const seen = {
        outcome: row.dataset.outcome,
        before: cell(".before").title || null,
        after: cell(".after").title || null,
        why: cell(".cell-why").textContent,
      };
      return /** @type {[name: string, row: typeof seen]} */ ([row.dataset.ref, seen]);
    }),
  );
  return Object.fromEntries(rows);
}
