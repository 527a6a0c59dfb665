// Runs every example of the README and of docs/ that is marked as JavaScript, against the real service.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { workTree } from "../support/git/git.mjs";
import { serve } from "../support/service/serve.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = [
  "README.md",
  ...(await readdir(join(root, "docs"), { recursive: true }))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const SECRET = "whsec_of_the_examples";

/** @type {import("../support/service/serve.mjs").Served} */
let service;
/** @type {string} */
let folder;
/** @type {Record<string, string>} */
let env;

before(async () => {
  service = await serve();
  const tree = await workTree();
  await tree.commit("one");
  await tree.git("tag", "v1.0");
  for (const name of ["source", "mirror"]) await service.api("POST", `/${service.org}/repos`, { name });
  await tree.git("push", "--quiet", service.gitUrl("source"), "main", "v1.0");
  await tree.remove();
  const upstream = { url: service.remote("source"), auth: { kind: "token", token: service.apiKey } };
  await service.api("POST", `/${service.org}/repos`, { name: "app", upstream });
  folder = await mkdtemp(join(tmpdir(), "refsync-docs-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  env = {
    REFSYNC_URL: service.origin,
    REFSYNC_API_KEY: service.apiKey,
    SOURCE_URL: service.remote("source"),
    DESTINATION_URL: service.remote("mirror"),
    TOKEN: service.apiKey,
    WEBHOOK_SECRET: SECRET,
  };
});

after(async () => {
  await service?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

for (const page of pages) {
  const text = await readFile(join(root, page), "utf8");
  const examples = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  for (const [at, code] of examples.entries()) {
    test(`${page}, example ${at + 1}`, { timeout: 60_000 }, async () => {
      const file = join(folder, `${page.replaceAll("/", "-")}-${at}.mjs`);
      await writeFile(file, code);
      if (code.includes("export default")) await answers(file);
      else await runs(file);
    });
  }
}

test("the README has at least five examples, and each page of docs has one", async () => {
  for (const page of pages) {
    const count = (await readFile(join(root, page), "utf8")).match(/^```js$/gm)?.length ?? 0;
    assert.ok(count >= (page === "README.md" ? 5 : 1), `${page}: ${count}`);
  }
});

/** @param {string} file */
async function runs(file) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  assert.match(stdout, /\S/, `it prints something; ${stderr}`);
}

/**
 * A relay. The test sends a browser's preflight request.
 *
 * @param {{ fetch(request: Request): Promise<Response> }} worker
 */
async function relays(worker) {
  /** @param {string} origin */
  const ask = (origin) => {
    const url = "https://worker.test/https/github.com/acme/app.git/info/refs?service=git-upload-pack";
    return worker.fetch(new Request(url, { method: "OPTIONS", headers: { origin } }));
  };
  const answer = await ask("https://dashboard.example.com");
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://dashboard.example.com");
  assert.equal((await ask("https://other.example.com")).status, 403);
}

/**
 * A worker. The test calls it like its runtime.
 *
 * @param {string} file
 */
async function answers(file) {
  Object.assign(process.env, env);
  const { default: worker } = await import(pathToFileURL(file).href);
  if ((await readFile(file, "utf8")).includes("refsync/proxy")) return relays(worker);
  const sync = { id: "s", status: "completed", stats: { refs: [] } };
  const body = JSON.stringify({ id: "e", type: "sync.completed", data: { sync } });
  const time = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex");
  const headers = { "x-mesa-signature": `t=${time},sha256=${signature}` };
  const answer = await worker.fetch(new Request("https://worker.test/", { method: "POST", headers, body }), env);
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}
