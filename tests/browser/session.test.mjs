/** Signing in to the page and out of it, and the data that the browser keeps. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { chromium as installed } from "../../scripts/tools.mjs";
import { launch, openPage, openSignedIn } from "../support/browser/page.mjs";
import { present } from "../support/present.mjs";
import { bin } from "../support/process/refsync.mjs";
import { postgres } from "../support/service/postgres.mjs";

/** @import { Browser } from "playwright-core" */

/** @type {Awaited<ReturnType<typeof serve>>} */
let service;
/** @type {Browser} */
let browser;

before(async () => {
  [service, browser] = await Promise.all([serve(), launch()]);
  await service.api("POST", "/repos", { name: "app" });
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

/** The ids of the sessions that the service knows. */
const sessions = async () => {
  const { api_keys: keys } = await service.api("GET", "/api-keys");
  return keys.filter((/** @type {any} */ { name }) => name === "session of the page");
};

test("the printed address signs in once; its session survives a reload, and the browser's history has no key", async (t) => {
  const profile = mkdtempSync(join(tmpdir(), "refsync-profile-"));
  t.after(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: installed() ?? undefined,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const address = service.address;
  assert.match(address, /\/#code=[\w-]{43}$/);
  await page.goto(address);
  await page.getByRole("link", { name: /^app/ }).waitFor();
  assert.ok(!page.url().includes("code="), page.url());
  const session = present(await page.evaluate(() => sessionStorage.getItem("refsync.api_key")));
  assert.notEqual(session, service.apiKey, "it is a key of its own");
  const [listed] = await sessions();
  const lasts = Date.parse(listed.expires_at) - Date.parse(listed.created_at);
  assert.equal(Math.round(lasts / 3_600_000), 12, "hours");
  await page.reload();
  await page.getByRole("link", { name: /^app/ }).waitFor();

  // Opens the address again, like the history or a restored tab.
  await page.goto("about:blank");
  await page.goto(address);
  await page.getByRole("link", { name: /^app/ }).waitFor();
  assert.equal((await sessions()).length, 1, "the tab goes on with its session");
  await context.close();
  const found = files(profile).filter((path) => {
    const bytes = readFileSync(path);
    return bytes.includes(service.apiKey) || bytes.includes(service.apiKey.slice(33));
  });
  assert.deepEqual(found, [], "the admin key is nowhere on the browser's disk");

  const { page: other, close } = await openPage(browser, address);
  await other.getByText("UNAUTHENTICATED").waitFor();
  const told = present(await other.getByRole("alert").first().textContent());
  assert.match(told, /This address cannot sign you in.*was used already, or is older than ten minutes/s);
  await close({ refusals: [401] });
});

test("an address older than ten minutes does not sign in", async () => {
  const { page, close } = await openPage(browser, await service.newAddress(-1));
  await page.getByText("is older than ten minutes").waitFor();
  await page.getByLabel("API key").fill(service.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close({ refusals: [401] });
});

test("without a code the page asks for a key", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/`);
  await page.getByLabel("API key").fill(service.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close();
});

test("a key in the address is not taken, and leaves it", async () => {
  const { page, close } = await openPage(browser, `${service.origin}/#key=${service.apiKey}`);
  await page.getByText("The page does not accept a key in its address.").waitFor();
  assert.ok(!page.url().includes("key="), page.url());
  assert.equal(await page.getByLabel("API key").inputValue(), "");
  await close();
});

test("a wrong key stays in the form with the reason", async () => {
  const { page, close } = await openSignedIn(browser, { origin: service.origin, apiKey: "not-a-key" });
  await page.getByText("UNAUTHENTICATED").waitFor();
  await page.getByLabel("API key").fill(service.apiKey);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("link", { name: /^app/ }).waitFor();
  await close({ refusals: [401] });
});

test("signing out ends the session at the service, and the tab forgets it", async () => {
  const { page, close } = await openPage(browser, await service.newAddress());
  await page.getByRole("link", { name: /^app/ }).waitFor();
  const session = present(await page.evaluate(() => sessionStorage.getItem("refsync.api_key")));
  const whoami = () =>
    fetch(`${service.origin}/v1/whoami`, { headers: { authorization: `Bearer ${session}` } }).then((r) => r.status);
  assert.equal(await whoami(), 200);
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  assert.equal((await ended).status(), 200);
  assert.equal(await whoami(), 401);
  await page.reload();
  await page.getByLabel("API key").waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!stored.includes(session), "no storage holds it any more");
  await close();
});

test("signing out forgets a key that was typed, and does not revoke it", async () => {
  const { page, close } = await openSignedIn(browser, service);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!stored.includes(service.apiKey), "no storage holds it any more");
  await service.api("GET", "/repos");
  await close();
});

/** `refsync serve` as a user starts it, on a PostgreSQL. There the test can make more codes. */
async function serve() {
  const database = await postgres();
  const data = mkdtempSync(join(tmpdir(), "refsync-session-"));
  const child = spawn(process.execPath, [bin, "serve", "--port", "0", "--data", data, "--database", database.url]);
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.stderr.resume();
  let printed = "";
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      printed += chunk;
      if (printed.includes("Ctrl-C stops it.")) resolve(undefined);
    });
    ended.then((code) => reject(new Error(`refsync serve ended with ${code}: ${printed}`)));
  });
  const [, address = ""] = /^ {2}page {2}(\S+)$/m.exec(printed) ?? [];
  const { origin } = new URL(address);
  const apiKey = readFileSync(join(data, "api-key"), "utf8").trim();
  return {
    origin,
    address,
    apiKey,
    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @returns {Promise<import("../support/json.mjs").Json>}
     */
    async api(method, path, body) {
      const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      const answer = await fetch(`${origin}/v1/default${path}`, init);
      assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
      return answer.json();
    },
    /**
     * Returns an address with a new code, which expires after this many seconds.
     *
     * @param {number} [seconds]
     */
    async newAddress(seconds = 60) {
      const { default: pg } = await import("pg");
      const client = new pg.Client(database.url);
      await client.connect();
      const code = randomBytes(32).toString("base64url");
      await client.query(
        `INSERT INTO refsync.page_codes SELECT $1, id, now() + make_interval(secs => $2) FROM refsync.organizations`,
        [createHash("sha256").update(code).digest("hex"), seconds],
      );
      await client.end();
      return `${origin}/#code=${code}`;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await database.stop();
      rmSync(data, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function files(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}
