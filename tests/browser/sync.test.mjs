/** Pull and push with the page's buttons. Git confirms that the page shows the truth. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { dashboard } from "../support/browser/dashboard.mjs";
import { runId, sync, tableRows } from "../support/browser/page.mjs";
import { refsOf } from "../support/git/git.mjs";
import { present } from "../support/present.mjs";

/**
 * @import { SyncRun } from "refsync"
 * @import { Dashboard } from "../support/browser/dashboard.mjs"
 */

/** @type {Dashboard} */
let hosted;
/** @type {Dashboard["service"]} */
let service;
/** @type {Dashboard["tree"]} */
let tree;

before(async () => {
  hosted = await dashboard(async (tree) => {
    await tree.commit("one");
    await tree.git("tag", "v1.0");
    await tree.commit("two");
    await tree.git("tag", "-a", "v1.1", "-m", "release 1.1");
    await tree.git("branch", "release/1.0", "v1.0");
    await tree.git("branch", "release/1/fix", "v1.1");
  });
  ({ service, tree } = hosted);
});

after(() => hosted?.stop());

test("shows the repository with its upstream", async () => {
  const { page, close } = await hosted.open();
  const upstream = page.locator("[data-card=upstream]");
  const said = present(await upstream.textContent());
  assert.match(said, new RegExp(service.remote("origin")));
  assert.match(said, /User name and password/, "the kind of the credential, never itself");
  assert.match(present(await page.locator("[data-card=run]").textContent()), /No sync has run yet/);
  assert.ok(!(await page.content()).includes(service.apiKey), "the key stands nowhere in the page");
  assert.ok(!page.url().includes(service.apiKey), "nor in the address");
  await close();
});

test("a pull brings every ref, and the table says what Git says", async () => {
  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed");
  const expected = await refsOf(service.gitUrl("origin"));
  const rows = await tableRows(page);
  assert.deepEqual(
    Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.after])),
    expected,
    "each ref of the upstream is listed with its id",
  );
  assert.deepEqual(await refsOf(service.gitUrl("app")), expected, "and the hosted repository has it");
  assert.ok(
    Object.values(rows).every((row) => row.outcome === "updated" && row.before === null),
    "all are new",
  );
  const chart = page.getByRole("img", { name: /refs per outcome/ });
  assert.match(present(await chart.getAttribute("aria-label")), /0 rejected, 5 updated, 0 filtered, 0 unchanged/);
  const said = page.getByRole("status").filter({ hasText: /^The pull is completed: 5 updated/ });
  assert.equal(await said.count(), 1, "a screen reader hears how the run ended");
  await close();
});

test("only the refs that the globs match take part", async () => {
  const { page, close } = await hosted.open();
  await page.getByLabel("Branches", { exact: true }).fill("release/*");
  await page.getByLabel("Tags", { exact: true }).fill("");
  assert.equal(await sync(page, "pull"), "completed");
  const rows = await tableRows(page);
  assert.deepEqual(Object.keys(rows).sort(), ["refs/heads/release/1.0", "refs/heads/release/1/fix"]);
  assert.ok(Object.values(rows).every((row) => row.outcome === "unchanged" && row.before === row.after));
  assert.match(present(await page.locator("[data-card=run]").textContent()), /branches release\/\* · tags none/);
  await close();
});

test("a diverged branch is rejected with its reason while its neighbour moves", async () => {
  // One commit only on app, and another one only on its upstream. So neither contains the other.
  await tree.git("checkout", "--quiet", "release/1.0");
  const ours = await tree.commit("on app only");
  await tree.git("push", "--quiet", service.gitUrl("app"), "release/1.0");
  await tree.git("reset", "--quiet", "--hard", "HEAD~");
  await tree.commit("on the upstream only");
  await tree.git("checkout", "--quiet", "main");
  const ahead = await tree.commit("three");
  await tree.git("push", "--quiet", service.gitUrl("origin"), "main", "release/1.0");

  const { page, close } = await hosted.open();
  assert.equal(await sync(page, "pull"), "completed", "one refused ref does not fail the run");
  const rows = await tableRows(page);
  const [release, main] = [present(rows["refs/heads/release/1.0"]), present(rows["refs/heads/main"])];
  assert.equal(release.outcome, "rejected");
  assert.equal(release.after, ours, "the destination keeps what it has");
  assert.match(present(release.why), /non_fast_forward/);
  assert.deepEqual([main.outcome, main.after], ["updated", ahead]);
  assert.equal((await refsOf(service.gitUrl("app")))["refs/heads/release/1.0"], ours);
  assert.match(present(await page.locator("[data-card=run]").textContent()), /One ref was rejected/);

  await page.getByRole("button", { name: "Show rejected" }).click();
  assert.deepEqual(Object.keys(await tableRows(page)), ["refs/heads/release/1.0"], "the filter shows it alone");
  await page.getByRole("button", { name: /^All/ }).click();
  await page.getByLabel(/Filter refs/).fill("v1.");
  await page.waitForFunction(() => document.querySelectorAll("tr[data-ref]").length === 2);
  await close();
});

test("a push takes new commits to the upstream", async () => {
  await tree.git("checkout", "--quiet", "-b", "feature/new", "main");
  const id = await tree.commit("made on app");
  await tree.git("push", "--quiet", service.gitUrl("app"), "feature/new");
  const { page, close } = await hosted.open();
  await page.getByLabel("Branches", { exact: true }).fill("feature/*");
  assert.equal(await sync(page, "push"), "completed");
  assert.equal((await tableRows(page))["refs/heads/feature/new"]?.after, id);
  assert.equal((await refsOf(service.gitUrl("origin")))["refs/heads/feature/new"], id);
  await close();
});

test("a bad glob is explained at its field and starts no run", async () => {
  const { page, close } = await hosted.open();
  const shown = await runId(page);
  const field = page.getByLabel("Tags", { exact: true });
  await field.fill("v[0-9");
  await page.locator("button[data-direction=pull]").click();
  await page.getByText(/the class opened at character 1 is never closed/).waitFor();
  assert.equal(await field.getAttribute("aria-invalid"), "true", "it is said at the field that is wrong");
  assert.equal(await runId(page), shown);
  await close({ refusals: [400] });
});

/**
 * Waits until the page shows the run.
 *
 * @param {import("playwright-core").Page} page
 * @param {string | undefined} id
 */
async function showsRun(page, id) {
  await page.waitForFunction((id) => {
    /** @type {HTMLElement | null} */
    const run = document.querySelector("[data-run-id]");
    return run?.dataset.runId === id;
  }, id);
}

test("the history lists every run, newest first, and a press shows an older one", async () => {
  const { page, close } = await hosted.open();
  const listed = page.locator("[data-card=history] li");
  await listed.first().waitFor();
  const { syncs } = await service.api("GET", `/${service.org}/app/upstream/syncs`);
  const ids = await listed.evaluateAll((/** @type {HTMLElement[]} */ items) =>
    items.map((item) => item.dataset.syncId),
  );
  assert.deepEqual(
    ids,
    syncs.map((/** @type {SyncRun} */ { id }) => id),
  );
  assert.equal(await runId(page), ids[0], "the newest is open");
  const oldest = ids.at(-1);
  await page.locator(`[data-sync-id="${oldest}"] a`).click();
  await showsRun(page, oldest);
  assert.equal(Object.keys(await tableRows(page)).length, 5, "with what became of its refs");
  await page.goBack();
  await showsRun(page, ids[0]);
  await close();
});

test("an unreachable upstream shows the failed run with its error", async () => {
  // The discard port, which nothing listens on.
  const url = "http://127.0.0.1:9/nothing.git";
  await service.api("POST", `/${service.org}/repos`, { name: "stranded", upstream: { url } });
  const { page, close } = await hosted.open("stranded");
  assert.equal(await sync(page, "pull"), "failed");
  const { syncs } = await service.api("GET", `/${service.org}/stranded/upstream/syncs`);
  assert.equal(await page.locator("[data-run-error]").textContent(), syncs[0].error);
  assert.ok(syncs[0].error.includes("127.0.0.1:9"), "the error names the remote");
  await page.getByRole("button", { name: "Pull again" }).waitFor();
  await close();
});
