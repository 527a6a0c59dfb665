// The time until a first call is sent, which includes loading the WebAssembly.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const SCRIPT = `
const { SyncClient } = await import("refsync");
const imported = performance.now();
const sent = new Promise((resolve) => {
  // Node loads its own fetch at its first use, some 30 ms that are not ours.
  const fetch = () => {
    resolve(performance.now());
    return Promise.reject(new TypeError("far enough"));
  };
  new SyncClient({ apiUrl: "http://h", apiKey: "key", fetch }).whoami().catch(() => {});
});
console.log((await sent) - imported);
`;

test("the first request leaves within 15 ms of the import", async (t) => {
  const times = [];
  // The best of several, so that other work on this machine does not count.
  for (let n = 0; n < 7; n++) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", SCRIPT], {
      cwd: new URL(".", import.meta.url),
    });
    times.push(Number(stdout));
  }
  t.diagnostic(`milliseconds: ${times.map((time) => time.toFixed(1)).join(" ")}`);
  assert.ok(Math.min(...times) < 15, `${Math.min(...times)} ms`);
});
