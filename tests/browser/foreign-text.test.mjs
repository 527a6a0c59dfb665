/** Text from other people on the page: it cannot look like something else, nor fill the screen. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { sync } from "../support/browser/page.mjs";
import { listen } from "../support/network/listen.mjs";
import { present } from "../support/present.mjs";

const LONG = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(199)).join("/");
const OVERRIDE = "release\u202egnp";
const ZERO_WIDTH = "main\u200b";
const HEBREW = "שלום/1.2";

/** Bidirectional controls, zero-width characters and other invisible characters. */
const UNSEEN = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;
/** @type {import("node:http").Server} */
let upstream;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    for (const name of [LONG, OVERRIDE, ZERO_WIDTH, HEBREW]) await tree.git("branch", name);
  });
  const words = `\u202eevil \u2066text\u200b ${"long ".repeat(1_000)}`;
  upstream = createServer((_, answer) => answer.writeHead(400, { "content-type": "text/plain" }).end(words));
  const url = `http://127.0.0.1:${await listen(upstream)}/r.git`;
  await hosted.service.api("POST", `/${hosted.service.org}/repos`, { name: "hostile", upstream: { url } });
});

after(async () => {
  upstream?.close();
  await hosted?.stop();
});

/**
 * The texts of the page that contain invisible characters: visible text, tooltips, and texts for screen readers.
 *
 * @param {import("playwright-core").Page} page
 */
function unseen(page) {
  return page.evaluate((source) => {
    const pattern = new RegExp(source);
    const texts = [document.title, document.body.innerText];
    for (const element of document.querySelectorAll("[title], [aria-label]")) {
      texts.push(element.getAttribute("title") ?? "", element.getAttribute("aria-label") ?? "");
    }
    return texts.filter((text) => pattern.test(text));
  }, UNSEEN.source);
}

test("invisible characters in ref names show, and each name keeps its direction to itself", async () => {
  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed");
  /** @param {string} name */
  const row = (name) => page.locator(`tr[data-ref="refs/heads/${name}"]`);
  assert.equal(await row(ZERO_WIDTH).locator(".ref-name").textContent(), "mainU+200B");
  assert.equal(await row(OVERRIDE).locator(".ref-name").textContent(), "releaseU+202Egnp");
  assert.equal(await row(OVERRIDE).locator("th").getAttribute("title"), "refs/heads/release[U+202E]gnp");
  for (const name of ["main", OVERRIDE, HEBREW]) assert.equal(await row(name).locator("th bdi").count(), 1, name);
  // In reading order, the prefix is left of the Hebrew name.
  const [prefix, own] = await Promise.all(
    [".ref-prefix", ".ref-name"].map((part) => row(HEBREW).locator(part).boundingBox()),
  );
  assert.ok(present(prefix).x <= present(own).x);
  assert.deepEqual(await unseen(page), []);
  await close();
});

test("a ref name of 1,600 letters is folded, and unfolds at a press", async () => {
  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed");
  const row = page.locator("tr[data-ref]", { hasText: "0000000000" });
  const name = row.locator(".ref-name");
  assert.ok(present(await name.textContent()).length < 300);
  assert.ok(present(await row.boundingBox()).height < 250, "it does not fill the screen");
  const more = name.getByRole("button", { name: "all 1,599 characters" });
  await more.focus();
  await page.keyboard.press("Enter");
  assert.equal(await name.locator("bdi").textContent(), LONG);
  const less = name.getByRole("button", { name: "show less" });
  assert.equal(await less.getAttribute("aria-expanded"), "true");
  await less.click();
  assert.ok(present(await name.textContent()).length < 300);
  await close();
});

test("the words of a hostile upstream are shown as such, wherever they show", async () => {
  const { page, close } = await hosted.open("hostile");
  assert.equal(await sync(page, "pull"), "failed");
  const error = page.locator("[data-run-error]");
  assert.match(present(await error.textContent()), /evil/);
  assert.ok(present(await error.textContent()).length < 800);
  assert.equal(await error.locator("bdi").count(), 1);
  assert.deepEqual(await unseen(page), []);
  const history = present(await page.locator(".history-counts").first().boundingBox());
  assert.ok(history.height < 150, `${history.height} pixels of the history`);
  await close();
});
