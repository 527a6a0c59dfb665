/** The documentation site: `npm run docs` builds it, its links lead somewhere, and it works in a browser without any other server. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { after, before, test } from "node:test";

import { measuredIn, paths, picture } from "../../../benches/picture.mjs";
import { brokenInMarkdown, brokenInSite, markdown } from "../../../scripts/checks/links.mjs";
import { docs } from "../../../scripts/docs.mjs";
import { launch, openPage } from "../../support/browser/page.mjs";
import { serveFolder } from "../../support/browser/static.mjs";
import { root, textOf } from "./documents.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {Awaited<ReturnType<typeof serveFolder>>} */
let site;
/** @type {import("playwright-core").Browser} */
let browser;
/** The number of links in the site. */
let links = 0;

before(async () => {
  links = await docs();
  site = await serveFolder(join(root, "target/site"), "http://127.0.0.1:9");
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

test("a link, a heading or an image that a document lacks is found", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "refsync-links-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "a.md"),
    "# A\n\n[b](b.md#b) [c](c.md) [no](b.md#no) [x](htp://x) ![i](i.png) [own](#a)\n",
  );
  await writeFile(join(folder, "b.md"), "# B\n");
  const found = (await brokenInMarkdown(["a.md", "b.md"], folder)).join("\n");
  for (const wrong of ["c.md", "#no", "htp://x", "i.png"]) assert.ok(found.includes(wrong), `${wrong}:\n${found}`);
  assert.match(found, /4 warnings/);
});

test("the links of the whole site are checked, and a page, an anchor or an image that is missing is found", async (t) => {
  assert.ok(links > 100, `${links} links`);
  const folder = await mkdtemp(join(tmpdir(), "refsync-site-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "index.html"),
    '<a href="/b.html#no">b</a> <a href="/c.html">c</a> <img src="/i.png" alt="i">',
  );
  await writeFile(join(folder, "b.html"), '<h1 id="b">B</h1>');
  assert.deepEqual((await brokenInSite(folder)).broken, ["./: b.html#no", "./: c.html", "./: i.png"]);
});

test("a page is read and searched in a browser, without a request to another server", { timeout: 60_000 }, async () => {
  const { page, close } = await openPage(browser, `${site.origin}/start.html`);
  await page.getByRole("heading", { level: 1, name: "First steps" }).waitFor();
  await page.getByRole("button", { name: "Search" }).first().click();
  await page.getByRole("searchbox").fill("rotate the key");
  await page
    .getByRole("option", { name: /The secret key/ })
    .getByRole("link")
    .click();
  await page.waitForURL(/self-hosting\.html#the-secret-key$/);
  await close();
});

for (const [name, path] of Object.entries({
  "a guide": "guides/next.html",
  "a reference": "reference/command-line.html",
})) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`axe finds no error in ${name}, ${colorScheme}`, { timeout: 60_000 }, async () => {
      const { page, close } = await openPage(browser, `${site.origin}/${path}`, { colorScheme });
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { axe } = /** @type {{ axe: typeof import("axe-core") }} */ (/** @type {unknown} */ (globalThis));
        const { violations } = await axe.run(document, { resultTypes: ["violations"] });
        return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
      });
      assert.deepEqual(found, []);
      await close();
    });
  }
}

test("the links of the package's README lead into the repository, where npm looks for them", async () => {
  // npm resolves them against the manifest's `repository`. The package is in its folder `pkg`.
  const { repository } = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
  if (repository !== undefined) assert.equal(repository.directory, "pkg");
  const named = [...textOf("pkg/README.md").matchAll(/\]\(([^)#]+)/g)].map(([, link = ""]) => link);
  assert.ok(named.length > 5);
  for (const link of named) {
    const inRepository = `${repository?.url.replace(/^git\+|\.git$/g, "")}/blob/main/`;
    const path = link.startsWith(inRepository) ? link.slice(inRepository.length) : normalize(join("pkg", link));
    assert.ok(!path.startsWith("..") && markdown().includes(path), link);
  }
});

test("the picture of the benchmark and the README show the figures of the tables", async () => {
  const [page, drawn] = await Promise.all([readFile(paths.page, "utf8"), readFile(paths.picture, "utf8")]);
  assert.equal(drawn, picture(page), "node benches/picture.mjs draws it");
  assert.ok(drawn.includes("refsync") && drawn.includes("mirror clone + mirror push"));
  const first = measuredIn(page).filter(({ repository, work }) => /^400 MB/.test(repository) && work === "first sync");
  /** @param {string} who */
  const of = (who) => first.find((row) => row.who === who) ?? assert.fail(who);
  const figures = ["refsync", "git fetch into the destination", "mirror clone + mirror push"].map((who) =>
    of(who).wall.toFixed(0),
  );
  const said = /400 MB took (\d+) s with refsync, (\d+) s[\s\S]*?and (\d+) s with[\s\S]*?took (\d+) MB/.exec(
    textOf("README.md"),
  );
  assert.deepEqual(said?.slice(1), [...figures, of("refsync").memory.toFixed(0)], "the figures in README.md");
});

test("the README has at most 150 lines, and its picture at most 150 KB", async () => {
  assert.ok(textOf("README.md").split("\n").length <= 151);
  assert.ok((await readFile(join(root, "docs/public/page.png"))).length <= 150_000);
});
