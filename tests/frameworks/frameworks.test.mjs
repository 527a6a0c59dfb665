// The packed package in apps of server frameworks, built and started as in production. Each place where an app can use the
// client calls the real service.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser/page.mjs";
import { serve } from "../support/service/serve.mjs";
import { app } from "./app.mjs";

/**
 * @typedef {object} Framework
 * @property {string} folder
 * @property {string[]} build The command that builds the app.
 * @property {string[]} start Node's arguments that start it.
 * @property {Record<string, string>} [env]
 * @property {Record<string, string>} server The places on the server, each with the path whose answer contains the names.
 * @property {Record<string, Place>} page The places in a page, which puts the names into its title.
 *
 * @typedef {{ path: string, press?: string }} Place `press` is the button to press.
 */

const NAME = "shown-by-the-client";

/** @param {string} bundler */
const next = (bundler) => ({
  folder: "next",
  build: ["node_modules/.bin/next", "build", `--${bundler}`],
  start: ["node_modules/next/dist/bin/next", "start"],
  env: { DIST: `.next-${bundler}` },
  server: {
    "a server component": "/",
    "a route handler": "/api",
    "an edge route handler": "/edge",
    "the page of the guide": "/mirrors",
  },
  page: { "a client component": { path: "/client" }, "a server action": { path: "/action", press: "List" } },
});

/** @type {Record<string, Framework>} */
const frameworks = {
  "Next with Turbopack": next("turbopack"),
  "Next with webpack": next("webpack"),
  Nuxt: {
    folder: "nuxt",
    build: ["node_modules/.bin/nuxt", "build"],
    start: [".output/server/index.mjs"],
    server: { "a page": "/", "a route of the server": "/api/names" },
    page: { "a page in the browser": { path: "/client" } },
  },
  SvelteKit: {
    folder: "sveltekit",
    build: ["node_modules/.bin/vite", "build"],
    start: ["build/index.js"],
    server: { "a load function": "/", "a route of the server": "/api", "the page of the guide": "/mirrors" },
    page: { "a page in the browser": { path: "/client" } },
  },
  Astro: {
    folder: "astro",
    build: ["node_modules/.bin/astro", "build"],
    start: ["dist/server/entry.mjs"],
    server: { "a page": "/", "an endpoint": "/api" },
    page: { "a page in the browser": { path: "/client" } },
  },
};

/** @type {import("../support/service/serve.mjs").Served} */
let service;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  service = await serve();
  await service.api("POST", `/${service.org}/repos`, { name: NAME });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

for (const [name, { folder, build, start, env = {}, server, page }] of Object.entries(frameworks)) {
  test(name, { timeout: 600_000 }, async (t) => {
    const made = await app(folder, { REFSYNC_URL: service.origin, REFSYNC_API_KEY: service.apiKey });
    /** @type {Awaited<ReturnType<typeof made.start>> | undefined} */
    let started;
    t.after(async () => {
      await started?.stop();
      await made.remove();
    });
    await made.run(build, env);
    started = await made.start(start, env);
    const { origin, log } = started;
    for (const [place, path] of Object.entries(server)) {
      await t.test(`${place} calls the service`, async () => {
        const answer = await fetch(`${origin}${path}`);
        const text = await answer.text();
        assert.equal(answer.status, 200, log());
        assert.ok(text.includes(NAME), `${text}\n${log()}`);
      });
    }
    for (const [place, { path, press }] of Object.entries(page)) {
      await t.test(`${place} calls the service`, async () => {
        const context = await browser.newContext();
        try {
          const tab = await context.newPage();
          await tab.goto(`${origin}${path}#${service.apiKey}`, { waitUntil: "networkidle" });
          if (press) await tab.getByRole("button", { name: press }).click();
          const titled = tab.waitForFunction((name) => document.title === name, NAME, { timeout: 20_000 });
          await titled.catch(async () => assert.fail(`the title is ${await tab.title()}\n${log()}`));
        } finally {
          await context.close();
        }
      });
    }
  });
}
