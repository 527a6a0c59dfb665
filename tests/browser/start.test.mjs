/**
 * The steps of a new user: `npm start` in a terminal, the printed address in a browser, Pull, Ctrl-C, and all of this
 * again.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, openPage, sync, tableRows } from "../support/browser/page.mjs";
import { present } from "../support/present.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** How long the user waits at most from opening the page until every outcome is visible, in milliseconds. */
const PATIENCE = 10_000;

test("npm start serves a page whose first Pull shows every outcome, and a second start keeps the data", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "refsync-start-"));
  t.after(() => rm(data, { recursive: true, force: true, maxRetries: 3 }));
  const browser = await launch();
  t.after(() => browser.close());

  const first = await npmStart(t, data);
  const opened = Date.now();
  const { page, close } = await openApp(browser, first.address);
  assert.equal(await sync(page, "pull"), "completed");
  const rows = await tableRows(page);
  const took = Date.now() - opened;
  /** @param {string} name */
  const why = (name) => present(rows[name]?.why);
  assert.ok(took < PATIENCE, `every outcome was visible after ${took} ms`);
  const outcomes = Object.fromEntries(Object.entries(rows).map(([name, { outcome }]) => [name, outcome]));
  assert.equal(outcomes["refs/heads/main"], "updated", "the upstream has a new commit");
  assert.equal(outcomes["refs/heads/feature/search"], "updated", "the upstream has a new branch");
  assert.equal(outcomes["refs/tags/demo-v3.0.0"], "updated", "the upstream has a new tag");
  assert.equal(outcomes["refs/heads/release/1"], "unchanged");
  assert.equal(outcomes["refs/heads/stable"], "filtered");
  assert.match(why("refs/heads/stable"), /symbolic/i);
  assert.equal(outcomes["refs/heads/experiment"], "rejected");
  assert.match(why("refs/heads/experiment"), /diverged.*Merge the commits at the source/is);
  assert.equal(outcomes["refs/tags/nightly"], "rejected");
  assert.match(why("refs/tags/nightly"), /already points elsewhere/i);
  const shown = present(await page.locator("[data-card=run]").textContent());
  for (const word of ["Rejected", "Updated", "Filtered", "Unchanged"]) assert.ok(shown.includes(word), word);
  assert.match(shown, /1 was left out on purpose\. All others were synced\./);
  await close();
  await first.stop();

  const second = await npmStart(t, data);
  const again = await openApp(browser, second.address);
  const earlier = present(await again.page.locator("[data-card=run]").textContent());
  assert.match(earlier, /Rejected/, "the earlier run is still there");
  assert.equal(await sync(again.page, "pull"), "completed");
  const after = await tableRows(again.page);
  assert.equal(after["refs/heads/main"]?.outcome, "unchanged");
  assert.equal(after["refs/heads/experiment"]?.outcome, "rejected");
  await again.close();
  await second.stop();
});

/**
 * Opens the printed address and the repository `app`.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} address
 */
async function openApp(browser, address) {
  const opened = await openPage(browser, address);
  await opened.page.getByRole("link", { name: /^app(?!-)/ }).click();
  await opened.page.getByRole("heading", { level: 1, name: "app", exact: true }).waitFor();
  return opened;
}

/**
 * Types `npm start` in a terminal. `script` provides the terminal. `stop` types Ctrl-C.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} data
 */
async function npmStart(t, data) {
  const env = { ...process.env, PORT: "0", REFSYNC_DEMO_DATA: data };
  const child = spawn("script", ["--quiet", "--return", "--command", "npm start", "/dev/null"], { cwd: ROOT, env });
  const ended = new Promise((resolve) => child.on("close", resolve));
  t.after(() => {
    child.kill("SIGKILL");
    return ended;
  });
  let printed = "";
  /** @type {string} */
  const address = await new Promise((resolve, reject) => {
    /** @param {string} text */
    const read = (text) => {
      printed += text;
      const found = /refsync is ready: (http\S+)/.exec(printed);
      if (found?.[1]) resolve(found[1]);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", read);
    ended.then((code) => reject(new Error(`npm start ended with ${code}:\n${printed}`)));
  });
  assert.ok(printed.trimEnd().endsWith(address), `the address is printed last:\n${printed}`);
  assert.match(
    printed,
    /\d\d:\d\d:\d\d\.\d{3} pull demo\/app attempt 1 completed|GET \/v1\/demo\/app 200/,
    "log lines",
  );
  assert.doesNotMatch(printed, /^\{/m, "no log line is JSON on a terminal");
  return {
    address,
    stop: async () => {
      child.stdin.write("\x03");
      await ended;
    },
  };
}
