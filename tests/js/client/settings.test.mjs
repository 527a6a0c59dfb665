// The sources of a client's address and key. A key must never go to a server that its owner did not name.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const here = new URL(".", import.meta.url);

/**
 * The URL and the key of a client's first request, or the error; `globals` runs before the package is imported.
 *
 * @param {string} options
 * @param {{ env?: NodeJS.ProcessEnv, globals?: string }} [place]
 */
async function firstRequest(options, { env = {}, globals = "" } = {}) {
  const script = `
    ${globals}
    const { SyncClient } = await import("refsync");
    const fetch = async (url, init) => {
      console.log(JSON.stringify({ url, key: init.headers.authorization }));
      process.exit(0);
    };
    try {
      await new SyncClient({ fetch, ...${options} }).whoami();
    } catch ({ name, message, fields }) {
      console.log(JSON.stringify({ name, message, fields: fields.map(({ field }) => field) }));
    }`;
  const { REFSYNC_URL: _, REFSYNC_API_KEY: __, ...inherited } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: here,
    env: { ...inherited, ...env },
  });
  return JSON.parse(stdout);
}

const env = { REFSYNC_URL: "https://sync.example.com", REFSYNC_API_KEY: "from-environment" };

test("without an address there is no client, whatever was meant to be the address", async () => {
  const key = { REFSYNC_API_KEY: "secret" };
  for (const apiUrl of ["undefined", "null", '""', "process.env.UNSET"]) {
    const { name, message, fields } = await firstRequest(`{ apiUrl: ${apiUrl}, apiKey: "secret" }`, { env: key });
    assert.deepEqual([name, fields], ["InvalidRequestError", ["apiUrl"]], apiUrl);
    assert.match(message, /^make a client: apiUrl is missing or empty; .*set REFSYNC_URL$/);
    assert.doesNotMatch(message, /secret/);
  }
});

test("without a key there is no client", async () => {
  const { name, message, fields } = await firstRequest('{ apiUrl: "http://h" }');
  assert.deepEqual([name, fields], ["InvalidRequestError", ["apiKey"]]);
  assert.match(message, /set REFSYNC_API_KEY$/);
});

test("the environment has the address and the key that the options leave out", async () => {
  const both = { url: "https://sync.example.com/v1/whoami", key: "Bearer from-environment" };
  assert.deepEqual(await firstRequest("{}", { env }), both);
  assert.deepEqual(await firstRequest("{ apiUrl: undefined, apiKey: undefined }", { env }), both);
  const own = await firstRequest('{ apiUrl: "http://h", apiKey: "own" }', { env });
  assert.deepEqual(own, { url: "http://h/v1/whoami", key: "Bearer own" });
});

test("in a browser the address is the page's own origin; the environment of a bundle does not count", async () => {
  // The globals of a page that are relevant here.
  /** @param {string} origin */
  const globals = (origin) => `
    const { exit } = process;
    Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Mozilla/5.0" } });
    globalThis.location = { origin: "${origin}" };
    globalThis.process = { exit, env: { REFSYNC_URL: "https://elsewhere.example.com" } };`;
  // A page cannot read files, so it passes the code to the client.
  const options = `{ apiKey: "k", wasm: (await import("node:fs")).readFileSync("../../../pkg/dist/wasm/client/refsync_bg.wasm") }`;
  const { url } = await firstRequest(options, { globals: globals("https://app.example.com") });
  assert.equal(url, "https://app.example.com/v1/whoami");
  // A page that was opened from a file.
  const { name, message } = await firstRequest(options, { globals: globals("null") });
  assert.equal(name, "InvalidRequestError");
  assert.equal(message, "make a client: apiUrl is missing or empty; pass it to new SyncClient()");
});
