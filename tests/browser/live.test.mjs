/** A run in progress: previewed, followed with its events, and cancelled. Its end changes other parts of the page. */

import assert from "node:assert/strict";

import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { runId, sync, tableRows } from "../support/browser/page.mjs";
import { refsOf } from "../support/git/git.mjs";
import { listen } from "../support/network/listen.mjs";
import { present } from "../support/present.mjs";

/**
 * @import { SyncRun } from "refsync"
 * @import { Dashboard } from "../support/browser/dashboard.mjs"
 */

/** @type {Dashboard} */
let hosted;
/** @type {Dashboard["service"]} */
let service;
/** @type {import("node:http").Server} */
let silent;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    await tree.git("tag", "v1.0");
    await tree.git("branch", "release/1.0");
  });
  ({ service } = hosted);
  // An upstream that accepts the request and never answers.
  silent = createServer(() => {});
  const url = `http://127.0.0.1:${await listen(silent)}/silent.git`;
  await service.api("POST", `/${service.org}/repos`, { name: "silent", upstream: { url } });
});

after(async () => {
  silent?.closeAllConnections();
  silent?.close();
  await hosted?.stop();
});

test("a preview tells what a pull would do, changes nothing, and can be carried out", async () => {
  const { page, close } = await hosted.open();
  await page.getByLabel("Tags", { exact: true }).fill("");
  await page.getByRole("button", { name: "Preview pull" }).click();
  const preview = page.locator("[data-card=preview]");
  await preview.getByText(/Expected: 2 updated\. Nothing has been changed/).waitFor();
  const heading = page.getByRole("heading", { name: "What a pull would do now" });
  assert.ok(await heading.evaluate((element) => element === document.activeElement), "the focus follows the answer");
  assert.deepEqual(Object.keys(await tableRows(page)).sort(), ["refs/heads/main", "refs/heads/release/1.0"]);
  assert.deepEqual(await refsOf(service.gitUrl("app")), {}, "Git has none of them yet");
  assert.equal(await runId(page), null, "and no run was made");

  await preview.getByRole("button", { name: "Pull now" }).click();
  await page.locator("[data-run-status=completed]").waitFor({ timeout: 60_000 });
  assert.equal(await preview.isVisible(), false, "what it said is no longer so");
  assert.deepEqual(Object.keys(await refsOf(service.gitUrl("app"))).sort(), [
    "refs/heads/main",
    "refs/heads/release/1.0",
  ]);
  await close();
});

test("a preview that cannot be made says why, in place", async () => {
  const { page, close } = await hosted.open();
  await page.getByLabel("Branches", { exact: true }).fill("[a");
  await page.getByRole("button", { name: "Preview push" }).click();
  await page.getByText(/the class opened at character 0 is never closed/).waitFor();
  assert.equal(await page.locator("[data-card=preview]").isVisible(), false);
  await close({ refusals: [400] });
});

test("a run is followed by its events, says how far it is, and is cancelled by a press", async () => {
  const { page, close } = await hosted.open("silent");
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname.split("/").slice(5).join("/")));
  await page.locator("button[data-direction=pull]").click();
  const run = page.locator("[data-run-id]");
  await page.locator("[data-run-status=in_progress]").waitFor({ timeout: 30_000 });
  await page.getByText("Asking both sides for their refs").waitFor({ timeout: 30_000 });
  const id = await run.getAttribute("data-run-id");
  assert.deepEqual(
    asked.filter((path) => path.startsWith("syncs/")),
    [`syncs/${id}/events`],
    "one stream, and no poll",
  );
  const cancel = run.getByRole("button", { name: "Cancel" });
  await cancel.focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-run-status=failed]").waitFor({ timeout: 60_000 });
  await run.getByText("The pull was cancelled.", { exact: true }).first().waitFor();
  assert.equal(await run.getByRole("button", { name: "Cancel" }).count(), 0, "there is nothing left to cancel");
  const { status, error } = await service.api("GET", `/${service.org}/silent/upstream/syncs/${id}`);
  assert.deepEqual([status, error], ["failed", "cancelled"], "the service says so, too");
  await close();
});

test("the end of a run brings the upstream's card and the chart of the history up to date", async () => {
  const { page, close } = await hosted.open();
  const upstream = page.locator("[data-card=upstream]");
  for (let runs = 0; runs < 2; runs += 1) assert.equal(await sync(page, "pull"), "completed");
  await upstream.getByText(/verified as of/).waitFor();
  const chart = page.getByRole("img", { name: /how long the latest runs took/ });
  await chart.waitFor();
  const { syncs } = await service.api("GET", `/${service.org}/app/upstream/syncs`);
  const ended = syncs.filter((/** @type {SyncRun} */ { finished_at }) => finished_at !== null);
  const said = present(await chart.getAttribute("aria-label")).split("; ");
  assert.equal(said.length, ended.length, "a bar for each run");
  await close();
});
