// Tests the packed package, installed into an empty project, in every runtime: `npm run test:runtimes`. `npm test` runs
// only the current Node and a page. REFSYNC_MATRIX=all adds the runtimes that must be installed first.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { firefox } from "../../scripts/tools.mjs";
import { launch } from "../support/browser/page.mjs";
import { serveFolder } from "../support/browser/static.mjs";
import { workTree } from "../support/git/git.mjs";
import { project } from "../support/package/packed.mjs";
import { serve } from "../support/service/serve.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Asked, ClientSeen, EngineSeen } from "./suite.mjs"
 *
 * @typedef {{ client: ClientSeen, engine: EngineSeen }} Seen
 * @typedef {Seen & { failed?: string }} BrowserSeen
 * @typedef {{ client: Asked, engine: Asked }} Both
 * @typedef {(asked: Both) => Promise<BrowserSeen>} Body What runs in a page.
 * @typedef {{ client: string, engine: string }} Wasm The files, by build.
 */

/**
 * A page of a browser, and the way to close it.
 *
 * @typedef {object} Opened
 * @property {{ goto(url: string): Promise<unknown>, evaluate(body: Body, given: Both): Promise<BrowserSeen> }} page
 * @property {() => Promise<void>} close
 */

/** @typedef {{ wasm?: Partial<Wasm>, open?: () => Promise<Opened> }} How */

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const all = process.env.REFSYNC_MATRIX === "all";
const more = all ? {} : { skip: "npm run test:runtimes runs it" };
/** @param {string} path */
const installed = (path) => join(here, "node_modules", path);

/** @type {import("../support/package/packed.mjs").Project} */
let user;
/** @type {import("../support/service/serve.mjs").Served} */
let service;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  user = await project();
  for (const file of ["suite.mjs", "main.mjs"]) await cp(join(here, file), join(user.root, file));
  service = await serve();
  await service.api("POST", `/${service.org}/repos`, { name: "source" });
  const tree = await workTree();
  await tree.commit("one");
  await tree.commit("two");
  await tree.git("tag", "v1");
  await tree.git("push", "--quiet", service.gitUrl("source"), "main", "v1");
  await tree.remove();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await service?.stop();
  await user?.remove();
});

/**
 * The suite's arguments. Each runtime has repositories of its own.
 *
 * @param {string} name
 * @param {string} [origin]
 * @returns {Promise<Asked>}
 */
async function arguments_(name, origin = service.origin) {
  await service.api("POST", `/${service.org}/repos`, { name: `${name}-mirror` });
  return {
    name,
    apiUrl: origin,
    apiKey: service.apiKey,
    source: service.remote("source"),
    destination: service.remote(`${name}-mirror`),
  };
}

/**
 * @param {TestContext} t
 * @param {Seen} seen
 */
function judge(t, { client, engine }) {
  /** @param {string} outcome */
  const refs = (outcome) => [`refs/heads/main ${outcome}`, `refs/tags/v1 ${outcome}`];
  t.diagnostic(`first call after ${client.ready.toFixed(1)} ms`);
  assert.equal(client.org, service.org);
  assert.deepEqual(client.planned, refs("updated"));
  assert.equal(client.statuses.at(-1), "completed");
  assert.deepEqual(client.refs, refs("updated"));
  assert.equal(client.listed, true);
  assert.deepEqual(engine, { first: refs("updated"), second: refs("unchanged") });
}

/** @type {Record<string, [command: string, ...flags: string[]]>} */
const processes = {
  "the current Node": [process.execPath],
  "Node 20": [installed("node20/bin/node")],
  "Node 22": [installed("node22/bin/node")],
  "Node 24": [installed("node24/bin/node")],
  Deno: [installed(".bin/deno"), "run", "--allow-net", "--allow-read", "--allow-env", "--node-modules-dir=manual"],
  Bun: [installed(".bin/bun"), "run"],
};

for (const [name, [command, ...flags]] of Object.entries(processes)) {
  test(name, { timeout: 60_000, ...(command === process.execPath ? {} : more) }, async (t) => {
    const asked = await arguments_(name.toLowerCase().replaceAll(" ", "-"));
    const { stdout } = await run(command, [...flags, "main.mjs", JSON.stringify(asked)], { cwd: user.root });
    const seen = JSON.parse(stdout);
    t.diagnostic(seen.runtime);
    assert.ok(name === "the current Node" || `${seen.runtime}.`.startsWith(name), "it is the runtime that was meant");
    judge(t, seen);
  });
}

test("workerd", { timeout: 60_000, ...more }, async (t) => {
  const { build } = await import("esbuild");
  const { Miniflare } = await import("miniflare");
  const worker = `
    import { clientSuite, engineSuite } from "./suite.mjs";
    export default {
      async fetch(request) {
        const asked = await request.json();
        try {
          return Response.json({ client: await clientSuite(asked), engine: await engineSuite(asked) });
        } catch (error) {
          return new Response(String(error?.stack ?? error), { status: 500 });
        }
      },
    };`;
  const out = join(user.root, "workerd-dist");
  await writeFile(join(user.root, "worker.mjs"), worker);
  await build({
    absWorkingDir: user.root,
    entryPoints: ["worker.mjs"],
    bundle: true,
    format: "esm",
    outdir: out,
    outExtension: { ".js": ".mjs" },
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    logLevel: "error",
  });
  const flare = new Miniflare({
    modules: true,
    modulesRoot: out,
    scriptPath: join(out, "worker.mjs"),
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"] }],
    compatibilityDate: "2025-06-01",
  });
  t.after(() => flare.dispose());
  const body = JSON.stringify(await arguments_("workerd"));
  const answer = await flare.dispatchFetch("http://worker.test/", { method: "POST", body });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  judge(t, JSON.parse(text));
});

/** The code that a page, a worker or a service worker runs with the arguments that it receives. */
const BROWSER = `
  import { clientSuite, engineSuite } from "./suite.mjs";
  export const suite = async (asked) => {
    try {
      return { client: await clientSuite(asked.client), engine: await engineSuite(asked.engine) };
    } catch (error) {
      return { failed: String(error?.stack ?? error) };
    }
  };`;

/**
 * A page of Chromium, and the way to close it.
 *
 * @returns {Promise<Opened>}
 */
async function inChromium() {
  const context = await browser.newContext();
  return { page: await context.newPage(), close: () => context.close() };
}

/**
 * A page of Firefox. The protocol WebDriver BiDi controls it, so no separate driver is needed.
 *
 * @returns {Promise<Opened>}
 */
async function inFirefox() {
  const { default: puppeteer } = await import("puppeteer-core");
  const started = await puppeteer.launch({
    browser: "firefox",
    executablePath: firefox() ?? undefined,
    headless: true,
  });
  return { page: await started.newPage(), close: () => started.close() };
}

/**
 * Opens a page of `folder` and runs `body` in it with the arguments of the suite; the engine's remotes have the page's
 * origin.
 *
 * @param {TestContext} t
 * @param {string} folder
 * @param {string} name
 * @param {Body} body
 * @param {How} [how]
 */
async function inPage(t, folder, name, body, { wasm = {}, open = inChromium } = {}) {
  const site = await serveFolder(folder, service.origin);
  const { page, close } = await open();
  t.after(async () => {
    await close();
    site.close();
  });
  await page.goto(`${site.origin}/`);
  const asked = await arguments_(name, site.origin);
  /** @param {string} url */
  const here = (url) => url.replace(service.origin, site.origin);
  const engine = { ...asked, source: here(asked.source), destination: here(asked.destination) };
  /** @param {string | undefined} file */
  const at = (file) => file && { wasm: `${site.origin}/${file}` };
  const given = { client: { ...asked, ...at(wasm.client) }, engine: { ...engine, ...at(wasm.engine) } };
  const seen = await page.evaluate(body, given);
  assert.equal(seen.failed, undefined, seen.failed);
  judge(t, seen);
}

/**
 * Makes a page of plain files with an import map, and returns its folder.
 *
 * @param {string} name
 */
async function plainPage(name) {
  const out = join(user.root, name);
  await mkdir(out);
  await cp(join(user.root, "node_modules/refsync/dist"), join(out, "refsync"), { recursive: true });
  await cp(join(user.root, "suite.mjs"), join(out, "suite.mjs"));
  await writeFile(join(out, "main.mjs"), BROWSER);
  /** @param {string} name */
  const file = (name) => `./refsync/${name}.js`;
  const imports = {
    refsync: file("index"),
    "refsync/engine": file("engine"),
    "#client-wasm": file("wasm/client.browser"),
    "#engine-wasm": file("wasm/engine.default"),
  };
  await writeFile(
    join(out, "index.html"),
    `<!doctype html><title>page</title><script type="importmap">${JSON.stringify({ imports })}</script>`,
  );
  return out;
}

/** @type {Body} */
const inMain = async (asked) => (await import(/** @type {string} */ ("/main.mjs"))).suite(asked);

test("Chromium, a page without a bundler", { timeout: 60_000 }, async (t) => {
  await inPage(t, await plainPage("page"), "page", inMain);
});

test("Firefox, a page without a bundler", { timeout: 120_000, ...more }, async (t) => {
  await inPage(t, await plainPage("firefox-page"), "firefox", inMain, { open: inFirefox });
});

/**
 * Bundles the suite with `listen`, the code that calls it, because workers do not support import maps.
 *
 * @param {string} name
 * @param {string} listen
 */
async function bundled(name, listen) {
  const { build } = await import("esbuild");
  const out = join(user.root, name);
  await mkdir(out);
  await writeFile(join(user.root, "browser.mjs"), BROWSER);
  await writeFile(join(user.root, `${name}.mjs`), `import { suite } from "./browser.mjs";\n${listen}`);
  const wasm = `export { default as client } from "refsync/client.wasm"; export { default as engine } from "refsync/engine.wasm";`;
  await writeFile(join(user.root, "wasm.mjs"), wasm);
  await build({
    absWorkingDir: user.root,
    entryPoints: [`${name}.mjs`, "wasm.mjs"],
    bundle: true,
    format: "esm",
    outdir: out,
    loader: { ".wasm": "file" },
    logLevel: "error",
  });
  await writeFile(join(out, "index.html"), "<!doctype html><title>page</title>");
  const files = (await readdir(out)).filter((file) => file.endsWith(".wasm"));
  const { client, engine } = await import(join(out, "wasm.js"));
  assert.equal(files.length, 2);
  return { out, wasm: { client: client.replace("./", ""), engine: engine.replace("./", "") } };
}

test("Chromium, a worker", { timeout: 60_000, ...more }, async (t) => {
  const { out, wasm } = await bundled("web-worker", "onmessage = async ({ data }) => postMessage(await suite(data));");
  /** @type {Body} */
  const body = (asked) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("/web-worker.js", { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(asked);
    });
  await inPage(t, out, "web-worker", body, { wasm });
});

test("Chromium, a service worker", { timeout: 60_000, ...more }, async (t) => {
  const listen =
    "onmessage = (event) => event.waitUntil(suite(event.data).then((seen) => event.source.postMessage(seen)));";
  const { out, wasm } = await bundled("service-worker", listen);
  /** @type {Body} */
  const body = async (asked) => {
    const registered = await navigator.serviceWorker.register("/service-worker.js", { type: "module" });
    const worker = registered.installing ?? registered.waiting ?? registered.active;
    if (!worker) throw new Error("the service worker is not registered");
    while (worker.state !== "activated") await new Promise((resolve) => setTimeout(resolve, 50));
    return new Promise((resolve) => {
      navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
      navigator.serviceWorker.startMessages();
      worker.postMessage(asked);
    });
  };
  await inPage(t, out, "service-worker", body, { wasm });
});
