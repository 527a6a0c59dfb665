/** The engine in a page of another origin, through `refsync proxy`. */

import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "../support/browser/page.mjs";
import { serveFolder } from "../support/browser/static.mjs";
import { refsOf, workTree } from "../support/git/git.mjs";
import { relay, serve } from "../support/service/serve.mjs";

/**
 * @import { Browser } from "playwright-core"
 * @import { WorkTree } from "../support/git/git.mjs"
 * @import { Served } from "../support/service/serve.mjs"
 */

const DIST = fileURLToPath(new URL("../../pkg/dist", import.meta.url));
const imports = { "refsync/engine": "./refsync/engine.js", "#engine-wasm": "./refsync/wasm/engine.default.js" };

/** @type {Served} */
let service;
/** @type {Browser} */
let browser;
/** @type {WorkTree} */
let tree;
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof serveFolder>>} */
let site;

before(async () => {
  [service, browser, tree] = await Promise.all([serve(), launch(), workTree()]);
  folder = await mkdtemp(join(tmpdir(), "refsync-site-"));
  await cp(DIST, join(folder, "refsync"), { recursive: true });
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  await writeFile(join(folder, "index.html"), `<!doctype html><title>page</title>${map}`);
  // Git is on another server. This one has only files.
  site = await serveFolder(folder, "http://127.0.0.1:9");
  await tree.commit("one");
  await tree.commit("two");
  await tree.git("tag", "-a", "v1", "-m", "release 1");
  for (const name of ["source", "mirror"]) await service.api("POST", `/${service.org}/repos`, { name });
  await tree.git("push", "--quiet", service.gitUrl("source"), "main", "v1");
});

after(async () => {
  await browser?.close();
  site?.close();
  await service?.stop();
  await tree?.remove();
  await rm(folder, { recursive: true, force: true });
});

/**
 * Runs a sync in a page, and returns its outcomes or its error.
 *
 * @param {string} [proxy]
 * @returns {Promise<import("../support/json.mjs").Json>}
 */
async function syncInPage(proxy) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(site.origin);
    /** @param {string} repo */
    const remote = (repo) => ({ url: service.remote(repo), password: service.apiKey });
    const options = { source: remote("source"), destination: remote("mirror"), ...(proxy && { proxy }) };
    return await page.evaluate(async (given) => {
      const { sync } = await import("refsync/engine");
      try {
        return (await sync(given)).refs.map(({ name, outcome }) => `${name} ${outcome}`);
      } catch (error) {
        return String(error);
      }
    }, options);
  } finally {
    await context.close();
  }
}

test("a page reaches a Git host of another origin through the relay, and not without it", async (t) => {
  const { origin } = new URL(site.origin);
  const proxy = await relay({ origins: [origin], hosts: [service.origin] });
  t.after(() => proxy.stop());
  const refused = await syncInPage();
  assert.match(refused, /^SyncError: .*Failed to fetch/, "the host answers no page of another origin");
  assert.ok(
    refused.includes(`does not let pages of ${origin} read its answers (CORS); pass a relay as the option proxy`),
    refused,
  );
  assert.deepEqual(await syncInPage(proxy.url), ["refs/heads/main updated", "refs/tags/v1 updated"]);
  assert.deepEqual(await refsOf(service.gitUrl("mirror")), await refsOf(service.gitUrl("source")));
  assert.deepEqual(await syncInPage(proxy.url), ["refs/heads/main unchanged", "refs/tags/v1 unchanged"]);
});

test("a page that the relay does not serve gets nothing through it", async (t) => {
  const proxy = await relay({ origins: ["http://other.test"], hosts: [service.origin] });
  t.after(() => proxy.stop());
  const refused = await syncInPage(proxy.url);
  assert.match(refused, /^SyncError: .*Failed to fetch/);
  assert.match(refused, /start `refsync proxy` with --allow-origin http:/);
});
