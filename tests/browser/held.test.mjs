/** Moves that wait for an approval, on the page. */

import assert from "node:assert/strict";

import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { sync } from "../support/browser/page.mjs";
import { refsOf } from "../support/git/git.mjs";

/** @type {import("../support/browser/dashboard.mjs").Dashboard} */
let hosted;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    await tree.git("branch", "work");
    await tree.git("branch", "other");
  });
});

after(async () => {
  await hosted?.stop();
});

test("a held ref is shown with its reason, approved by a press, and moved by the next pull", async () => {
  const { service, tree } = hosted;
  const repo = `/${service.org}/app`;
  const { upstream } = await service.api("GET", repo);
  await service.api("PATCH", repo, { upstream: { url: upstream.url, policy: { on_diverged: "hold" } } });
  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed");
  await page.getByText("it waits for an approval").waitFor();
  assert.equal(await page.locator("[data-card=held]").isVisible(), false, "nothing is held yet");

  const before = await refsOf(service.gitUrl("app"));
  for (const branch of ["work", "other"]) {
    await tree.git("checkout", "--quiet", "--orphan", `${branch}-again`);
    await tree.commit(`${branch}, rewritten`);
    await tree.git("push", "--quiet", "--force", service.gitUrl("origin"), `HEAD:${branch}`);
  }
  assert.equal(await sync(page, "pull"), "completed");
  const card = page.locator("[data-card=held]");
  await card.getByText("refs/heads/work").waitFor();
  await page.getByText("Rewritten, moved or deleted at the source").first().waitFor();
  await card.getByRole("button", { name: "Approve refs/heads/work" }).click();
  await card.getByText("Approved: sync to carry it out").waitFor();
  if (process.env.REFSYNC_SCREENSHOT) await page.screenshot({ path: process.env.REFSYNC_SCREENSHOT, fullPage: true });

  assert.equal(await sync(page, "pull"), "completed");
  await card.getByText("refs/heads/work").waitFor({ state: "hidden" });
  const now = await refsOf(service.gitUrl("app"));
  const source = await refsOf(service.gitUrl("origin"));
  assert.equal(now["refs/heads/work"], source["refs/heads/work"]);
  assert.equal(now["refs/heads/other"], before["refs/heads/other"], "the other one still waits");
  await close();
});
