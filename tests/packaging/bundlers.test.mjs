// Each bundler builds a small dashboard from the packed package. The dashboard works in Chromium, and contains one
// WebAssembly file.
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { launch } from "../support/browser/page.mjs";
import { serveFolder } from "../support/browser/static.mjs";
import { project } from "../support/package/packed.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/service/serve.mjs";

const DASHBOARD = `
import { SyncClient } from "refsync";
const client = new SyncClient({ apiUrl: location.origin, apiKey: location.hash.slice(1) });
try {
  const names = [];
  for await (const repo of client.repos.list()) names.push(repo.name);
  document.title = JSON.stringify(names);
} catch (error) {
  document.title = String(error);
}
`;

/** @param {string} script */
const page = (script) => `<!doctype html><title>waiting</title><script type="module" src="${script}"></script>\n`;

/** @type {import("../support/package/packed.mjs").Project} */
let user;
/** @type {import("../support/service/serve.mjs").Served} */
let service;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  // Parcel reads `exports` and `imports` of packages only if this setting is on.
  user = await project({ "@parcel/resolver-default": { packageExports: true } });
  service = await serve();
  await service.api("POST", `/${service.org}/repos`, { name: "shown" });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await service?.stop();
  await user?.remove();
});

/**
 * Each builds the folder `src` into the folder `out`, with a page.
 *
 * @type {Record<string, (src: string, out: string) => Promise<void>>}
 */
const bundlers = {
  async vite(src, out) {
    const { build } = await import("vite");
    await build({ root: src, logLevel: "error", configFile: false, build: { outDir: out } });
  },
  async webpack(src, out) {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production",
      context: src,
      entry: "./main.js",
      output: { path: out, filename: "main.js" },
      performance: { hints: false },
    });
    /** @type {import("webpack").Stats} */
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString("errors-warnings"));
    await writeFile(join(out, "index.html"), page("./main.js"));
  },
  async rollup(src, out) {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { importMetaAssets } = await import("@web/rollup-plugin-import-meta-assets");
    const bundle = await rollup({
      input: join(src, "main.js"),
      plugins: [nodeResolve({ browser: true }), importMetaAssets()],
    });
    await bundle.write({ dir: out, format: "es" });
    await writeFile(join(out, "index.html"), page("./main.js"));
  },
  async esbuild(src, out) {
    // It does not support `new URL(…, import.meta.url)`, so the address comes from an import.
    const source = DASHBOARD.replace("\n", '\nimport wasm from "refsync/client.wasm";\n').replace(
      "new SyncClient({",
      "new SyncClient({ wasm: new URL(wasm, import.meta.url),",
    );
    await writeFile(join(src, "main.js"), source);
    const { build } = await import("esbuild");
    await build({
      absWorkingDir: src,
      entryPoints: ["main.js"],
      bundle: true,
      minify: true,
      format: "esm",
      outdir: out,
      loader: { ".wasm": "file" },
      logLevel: "error",
    });
    await writeFile(join(out, "index.html"), page("./main.js"));
  },
  async parcel(src, out) {
    const { Parcel } = await import("@parcel/core");
    const bundler = new Parcel({
      entries: join(src, "index.html"),
      defaultConfig: fileURLToPath(import.meta.resolve("@parcel/config-default")),
      mode: "production",
      shouldAutoInstall: false,
      cacheDir: join(src, ".parcel-cache"),
      defaultTargetOptions: { distDir: out, publicUrl: "./", sourceMaps: false },
    });
    await bundler.run();
  },
};

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name} ships one WebAssembly file, the client's, and the page works`, { timeout: 120_000 }, async (t) => {
    const src = join(user.root, name);
    const out = join(user.root, `${name}-dist`);
    await mkdir(src);
    await mkdir(out);
    await writeFile(join(src, "main.js"), DASHBOARD);
    await writeFile(join(src, "index.html"), page("./main.js"));
    await bundle(src, out);
    await shipsOneFile(t, out);
    await works(out);
  });
}

test("without a bundler, an import map will do", async (t) => {
  const out = join(user.root, "plain-dist");
  await mkdir(out);
  await cp(join(user.root, "node_modules/refsync/dist"), join(out, "refsync"), { recursive: true });
  await rm(join(out, "refsync/page"), { recursive: true, force: true });
  await writeFile(join(out, "main.js"), DASHBOARD);
  const imports = { refsync: "./refsync/index.js", "#client-wasm": "./refsync/wasm/client.browser.js" };
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  await writeFile(join(out, "index.html"), page("./main.js").replace("<script", `${map}<script`));
  t.diagnostic("served as it is");
  await works(out);
});

/**
 * @param {import("node:test").TestContext} t
 * @param {string} out
 */
async function shipsOneFile(t, out) {
  const files = (await readdir(out, { recursive: true })).filter((file) => /\.(wasm|m?js)$/.test(file));
  const shipped = await Promise.all(files.map(async (file) => ({ file, content: await readFile(join(out, file)) })));
  const sizes = shipped.map(({ file, content }) => `${file} ${content.length} (${gzipSync(content).length} gzipped)`);
  t.diagnostic(sizes.join(", "));
  const wasm = shipped.filter(({ file }) => file.endsWith(".wasm"));
  assert.equal(wasm.length, 1, files.join(" "));
  const client = await readFile(join(user.root, "node_modules/refsync/dist/wasm/client/refsync_bg.wasm"));
  assert.ok(present(wasm[0]).content.equals(client), "it is the client's build, unchanged");
  const scripts = shipped.filter(({ file }) => !file.endsWith(".wasm"));
  const total = scripts.reduce((sum, { content }) => sum + content.length, 0);
  assert.ok(total < 100_000, `${total} bytes of script: WebAssembly must not be inlined`);
}

/** @param {string} out */
async function works(out) {
  const site = await serveFolder(out, service.origin);
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(`${site.origin}/#${service.apiKey}`);
    await tab.waitForFunction(() => document.title !== "waiting", undefined, { timeout: 20_000 });
    assert.equal(await tab.title(), '["shown"]');
  } finally {
    await context.close();
    site.close();
  }
}
