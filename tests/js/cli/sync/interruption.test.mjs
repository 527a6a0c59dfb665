import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { serve } from "refsync/node";

import { growNoise } from "../../../support/git/history.mjs";
import { bin } from "../../../support/process/refsync.mjs";
import { host } from "../../engine/support.mjs";

const hosted = await host("upstream", "mirror");
// More bytes than the engine collects before it sends anything.
await growNoise(hosted.folder("upstream"), 4_000_000);

/** The hosted repositories. The source becomes silent after 2 MB of its pack, and `/silent/` does not answer a push. */
const listener = await serve({
  service: {
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const [, org, repository, ...rest] = pathname.split("/");
      if (org === "silent" && request.method === "POST") {
        hosted.asked.push("POST silent");
        return new Promise(() => {});
      }
      const { method, headers } = request;
      const body = repository === "upstream.git" && method === "POST" ? await request.text() : request.body;
      const url = `http://git.test/${repository}/${rest.join("/")}${search}`;
      const response = await hosted.fetch(url, { method, headers, body, duplex: "half" });
      if (!String(body).includes("command=fetch")) return response;
      return new Response(response.body && silentAfter(response.body, 2_000_000), response);
    },
  },
});
after(async () => {
  await listener.close(0);
  await hosted.remove();
});

/**
 * The first bytes of a body, and then silence. Cancelling it cancels the body too, so that Git's process ends with its
 * test.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {number} bytes
 */
function silentAfter(body, bytes) {
  const reader = body.getReader();
  let left = bytes;
  return new ReadableStream({
    async pull(controller) {
      if (left <= 0) return new Promise(() => {});
      const { value, done } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value.subarray(0, left));
      left -= value.length;
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** @param {string} destination */
function refsync(destination) {
  const source = `${listener.url}/git/upstream.git`;
  const child = spawn(process.execPath, [bin, "sync", "--json", source, `${listener.url}/${destination}`]);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const ended = once(child, "close").then(([code]) => ({ code, stderr, json: JSON.parse(stdout) }));
  return { child, ended, said: () => stderr };
}

/**
 * Waits until `condition` is true. Otherwise the test's own time limit ends the wait.
 *
 * @param {() => boolean | Promise<boolean>} condition
 */
async function until(condition) {
  while (!(await condition())) await delay(20);
}

test("Ctrl-C in the middle of a pack moves no ref and leaves nothing at the destination", {
  timeout: 60_000,
}, async () => {
  const { child, ended } = refsync("git/mirror.git");
  await until(async () => (await hosted.leftovers("mirror")).length > 0);
  child.kill("SIGINT");
  const { code, stderr, json } = await ended;
  assert.equal(code, 1);
  assert.match(stderr, /no ref was moved, and the destination has removed/);
  assert.equal(json.error.code, "interrupted");
  assert.equal(await hosted.refs("mirror"), "");
  assert.deepEqual(await hosted.leftovers("mirror"), []);
});

test("a second Ctrl-C does not wait for a destination that says nothing", { timeout: 60_000 }, async () => {
  const { child, ended, said } = refsync("silent/mirror.git");
  await until(() => hosted.asked.includes("POST silent"));
  child.kill("SIGINT");
  await until(() => said().includes("press Ctrl-C again to leave at once"));
  await delay(300);
  child.kill("SIGINT");
  const { code, stderr, json } = await ended;
  assert.equal(code, 1);
  assert.match(stderr, /left at once/);
  assert.equal(json.error.code, "interrupted");
});

test("a Ctrl-C that npx passes on as well still waits until the destination has removed the pack", {
  timeout: 60_000,
}, async () => {
  const { child, ended } = refsync("git/mirror.git");
  await until(async () => (await hosted.leftovers("mirror")).length > 0);
  child.kill("SIGINT");
  await delay(20);
  child.kill("SIGINT");
  const { stderr } = await ended;
  assert.match(stderr, /no ref was moved, and the destination has removed/);
  assert.deepEqual(await hosted.leftovers("mirror"), []);
});
