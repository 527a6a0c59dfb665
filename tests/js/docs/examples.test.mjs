/** Runs every program of the documents, against the real service and a Git host. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { transform } from "esbuild";

import { gitServer } from "../../support/git/git-server.mjs";
import { freePort } from "../../support/network/listen.mjs";
import { relay, serve } from "../../support/service/serve.mjs";
import { checkOf } from "./checks.mjs";
import { blocksIn, documents, root, textOf } from "./documents.mjs";

const SECRET = "whsec_of_the_examples";
const TOKEN = "the-token-of-app";
/** The page that the documents name. */
const PAGE = "https://dashboard.example.com";

/** Documents whose programs run in a page. Its requests carry its origin, which a program cannot set in a browser. */
const IN_A_PAGE = ["docs/guides/browser.md"];
const AS_A_PAGE = `
const own = globalThis.fetch;
globalThis.fetch = (input, init) => own(input, { ...init, headers: { ...init?.headers, origin: "${PAGE}" } });
`;

/** @type {import("../../support/service/serve.mjs").Served} */
let service;
/** @type {Awaited<ReturnType<typeof gitServer>>} */
let server;
/** @type {Awaited<ReturnType<typeof relay>>} */
let relayed;
/** The port of a program that receives webhooks. */
let port = 0;
/** @type {string} */
let folder;
/** @type {Record<string, string>} */
let env;
/**
 * The values for the placeholders of the programs.
 *
 * @type {[name: string, value: string][]}
 */
let values;

before(async () => {
  [service, server] = await Promise.all([serve(), gitServer()]);
  relayed = await relay({ origins: [PAGE], hosts: [server.origin] });
  port = await freePort();
  const source = await server.create("source");
  await server.commit("source", "one");
  const destination = await server.create("destination", { token: TOKEN });
  await service.api("POST", `/${service.org}/repos`, { name: "app", upstream: { url: source } });
  folder = await mkdtemp(join(tmpdir(), "refsync-docs-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  env = { REFSYNC_URL: service.origin, REFSYNC_API_KEY: service.apiKey, TOKEN, WEBHOOK_SECRET: SECRET };
  values = [
    ["https://github.com/acme/app.git", source],
    ["https://git.example.com/app.git", destination],
    ["http://127.0.0.1:8723", relayed.url],
    ["listen(3000)", `listen(${port})`],
    ["port: 3000", `port: ${port}`],
    ['const token = "…"', `const token = "${TOKEN}"`],
  ];
});

after(async () => {
  await relayed?.stop();
  await service?.stop();
  await server?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

for (const document of documents) {
  const programs = blocksIn(textOf(document)).filter((block) => checkOf(document, block) === "run");
  for (const { line, text } of programs) {
    test(`the program at ${document}:${line} runs`, { timeout: 60_000 }, async () => {
      const filled = values.reduce((code, [name, value]) => code.replaceAll(name, value), text);
      assert.doesNotMatch(filled, /…/, "a placeholder has no value");
      const { code } = await transform(filled, { loader: "ts", target: "es2022", format: "esm" });
      const file = join(folder, `${document.replaceAll(/\W/g, "-")}-${line}.mjs`);
      await writeFile(file, code);
      if (code.includes("export {")) await answers(file);
      else if (code.includes("listen(")) await receives(file);
      else await runs(file, IN_A_PAGE.includes(document) ? AS_A_PAGE : "");
    });
  }
}

test("every guide and concept has a program that is run or compiled, and each of this test's values is in a document", () => {
  for (const document of documents) {
    if (!/^docs\/(guides|concepts)\//.test(document)) continue;
    if (document === "docs/concepts/what-moves.md") continue; // it explains the concepts that the others show
    const checks = blocksIn(textOf(document)).map((block) => checkOf(document, block));
    assert.ok(checks.includes("run") || checks.includes("compiled"), document);
  }
  const all = documents.map(textOf).join("\n");
  for (const [name] of values) assert.ok(all.includes(name), name);
  for (const document of IN_A_PAGE) assert.ok(documents.includes(document), document);
});

/**
 * @param {string} file
 * @param {string} preamble Code to run first.
 */
async function runs(file, preamble) {
  const first = preamble === "" ? [] : ["--import", `data:text/javascript,${encodeURIComponent(preamble)}`];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...first, file], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  assert.match(stdout, /\S/, `it prints something; ${stderr}`);
}

/**
 * A server that receives webhooks at /hooks, and prints the event's id. The test sends one, and ends the server.
 *
 * @param {string} file
 */
async function receives(file) {
  const child = spawn(process.execPath, [file], { cwd: folder, env: { ...process.env, ...env } });
  const ended = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  try {
    const { body, headers } = delivery();
    const send = () => fetch(`http://127.0.0.1:${port}/hooks`, { method: "POST", headers, body }).catch(() => null);
    let answer = await send();
    for (let waited = 0; answer === null && child.exitCode === null && waited < 10_000; waited += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await send();
    }
    assert.ok(answer?.ok, `${answer?.status} ${output}`);
    assert.match(output, /^e$/m, "its handler has printed the event's id");
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

/** A signed delivery of the event `e`. */
function delivery() {
  const sync = { id: "s", status: "completed", stats: { refs: [] } };
  const body = JSON.stringify({ id: "e", type: "sync.completed", data: { sync } });
  const time = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex");
  return { body, headers: { "x-mesa-signature": `t=${time},sha256=${signature}` } };
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
  const answer = await ask(PAGE);
  assert.equal(answer.headers.get("access-control-allow-origin"), PAGE);
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
  if (file.includes("browser")) return relays(worker);
  const { body, headers } = delivery();
  const answer = await worker.fetch(new Request("https://worker.test/", { method: "POST", headers, body }), env);
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}
