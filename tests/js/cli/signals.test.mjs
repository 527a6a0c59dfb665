/** Ctrl-C under npx: the terminal sends SIGINT to refsync, and npx forwards its own SIGINT. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bin } from "../../support/process/refsync.mjs";
import { folder } from "./support.mjs";

/**
 * Starts the command, and waits until it is ready. `first` is its first output.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} args
 */
async function start(t, ...args) {
  const child = spawn(process.execPath, [bin, ...args, "--json", "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exit = once(child, "exit");
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  // The command may print this shortly before it handles signals.
  await delay(100);
  return { child, first: JSON.parse(line), exit };
}

/**
 * A request whose body does not end. Because of it, `refsync serve` cannot stop by itself for some seconds.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ url: string, api_key: string }} service
 */
async function unfinished(t, { url, api_key }) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  const head = `POST /v1/default/repos HTTP/1.1\r\nHost: refsync\r\nAuthorization: Bearer ${api_key}\r\n`;
  socket.write(`${head}Content-Length: 1000\r\n\r\n{`);
  // Waits until the request is in progress.
  await delay(500);
  return socket;
}

test("a Ctrl-C that arrives twice stops `refsync serve` in order", async (t) => {
  const data = join(folder(t), "data");
  const { child, first, exit } = await start(t, "serve", "--data", data);
  const request = await unfinished(t, first);
  child.kill("SIGINT");
  await delay(20);
  child.kill("SIGINT");
  await delay(1000);
  assert.equal(child.exitCode, null, "it waits for the request");
  request.destroy();
  assert.deepEqual(await exit, [0, null]);
  assert.equal(existsSync(join(data, "lock")), false);
});

test("`refsync proxy` ends with code 0, although copies of a Ctrl-C arrive while it ends", async (t) => {
  const hosts = ["--allow-host", "github.com", "--allow-origin", "https://page.test"];
  const { child, exit } = await start(t, "proxy", ...hosts);
  for (const end = performance.now() + 100; performance.now() < end && child.exitCode === null; await delay(3)) {
    child.kill("SIGINT");
  }
  assert.deepEqual(await exit, [0, null]);
});

test("a second Ctrl-C ends `refsync serve` at once", async (t) => {
  const { child, first, exit } = await start(t, "serve", "--data", join(folder(t), "data"));
  await unfinished(t, first);
  child.kill("SIGINT");
  // A busy machine handles the first signal late.
  await delay(1000);
  assert.equal(child.exitCode, null, "it waits for the request");
  const second = performance.now();
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
  assert.ok(performance.now() - second < 2000);
});
