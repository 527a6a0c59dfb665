// Syncs from hostile sources with `refsync sync`. Each ends with a clear error, in bounded time and memory.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";

import { serve } from "refsync/node";
import { bin } from "../../support/process/refsync.mjs";
import { hostile } from "./hostile.mjs";
import { host } from "./support.mjs";

/** The peak memory that such a sync may use, in MB. */
const MOST_MEMORY = 300;
/**
 * Reports the peak memory of the process on the fourth channel. `resourceUsage` would include the parent's memory from
 * before the start.
 */
const TELL_MEMORY = `data:text/javascript,${encodeURIComponent(
  'import { readFileSync, writeSync } from "node:fs"; process.on("exit", () => writeSync(3, readFileSync("/proc/self/status")));',
)}`;

const hosted = await host("behind", "empty");
const commit = await hosted.git("behind", "commit-tree", await emptyTree(), "-m", "ours");
await hosted.git("behind", "update-ref", "refs/heads/main", commit);
const listener = await serve({
  service: {
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      /** @type {RequestInit} */
      const init = { method: request.method, headers: request.headers, body: request.body, duplex: "half" };
      return hosted.fetch(`http://git.test${pathname.replace("/git", "")}${search}`, init);
    },
  },
});
const source = await hostile();
after(async () => {
  source.close();
  await listener.close(0);
  await hosted.remove();
});

function emptyTree() {
  return hosted.git("behind", "hash-object", "-w", "-t", "tree", "/dev/null");
}

/**
 * Syncs from a source of this kind. Returns its error, time and memory.
 *
 * @param {string} kind
 * @param {string} destination
 * @param {string[]} flags
 */
async function sync(kind, destination, flags) {
  const url = `http://127.0.0.1:${listener.port}/git/${destination}.git`;
  const args = ["--import", TELL_MEMORY, bin, "sync", "--json", source.url(kind), url, ...flags];
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe", "pipe"], timeout: 120_000 });
  const streams = /** @type {import("node:stream").Readable[]} */ (child.stdio.slice(1));
  const said = streams.map(text);
  const status = await new Promise((resolve) => child.on("close", resolve));
  const [stdout = "", stderr = "", memory = ""] = await Promise.all(said);
  const seconds = (performance.now() - start) / 1000;
  const last = stdout.trim().split("\n").at(-1);
  const megabytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(memory)?.[1]) / 1024;
  return { status, seconds, megabytes, stderr, error: last && JSON.parse(last).error };
}

/**
 * @typedef {[kind: string, code: string, words: RegExp, most: number, flags?: string[], destination?: string]} Row
 *
 * The kind of source, the error's code, and words of its message. Then the most seconds on a busy machine, flags that
 * make the sync faster, and the destination.
 *
 * @type {Row[]}
 */
const table = [
  [
    "list dribbles",
    "too_slow",
    /at least 1000 must come in 2 s; to wait for it, lower minRate \(--min-rate\)/,
    20,
    ["--min-rate", "1000/2"],
  ],
  [
    "list is silent",
    "timeout",
    /nothing came for 2 s; to wait for longer, raise stallTimeout \(--stall-timeout\)/,
    20,
    ["--stall-timeout", "2"],
  ],
  ["list without end", "too_many_refs", /it lists more than 1000000 refs; .* raise maxRefs \(--max-refs\)/, 60],
  ["list of long names", "too_many_refs", /more than 128000000 bytes, .* raise maxRefs \(--max-refs\)/, 60],
  ["one packet without end", "protocol_error", /expected an id and a ref name/, 20],
  ["words without end", "too_many_messages", /more than 16777216 bytes of messages/, 30],
  ["acknowledges without end", "too_many_messages", /before its pack/, 20],
  ["redirects", "redirected", /after 10 redirects/, 20],
  ["an error page that dribbles", "forbidden", /n/, 20, ["--min-rate", "1000/2"]],
  ["an error page without end", "server_error", /the server failed \(500\)/, 20],
  [
    "commits without end",
    "too_many_commits",
    /more than 300000 commits, .* raise maxCommits \(--max-commits\)/,
    60,
    ["--max-commits", "300000"],
  ],
  ["blobs without end", "timeout", /it took longer than the 3 s that it may take/, 20, ["--timeout", "3"], "empty"],
  ["pack dribbles", "too_slow", /at least 1000 must come in 2 s/, 20, ["--min-rate", "1000/2"], "empty"],
  ["large deltas", "pack_too_large", /unpack to more than 200 times the pack's size/, 40],
  ["many deltas", "pack_too_large", /unpack to more than 200 times the pack's size/, 40],
  ["a large commit", "pack_too_large", /unpack to more than 200 times the pack's size/, 40],
];

describe("a source that means no good", { concurrency: 3 }, () => {
  for (const [kind, code, words, most, flags = [], destination = "behind"] of table) {
    test([kind, ...flags, "to", destination].join(" "), async (t) => {
      const { status, seconds, megabytes, stderr, error } = await sync(kind, destination, flags);
      t.diagnostic(`${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB: ${error?.message}`);
      assert.equal(error?.code, code, `${stderr}`);
      assert.match(error.message, words);
      assert.match(stderr, /^error: /m);
      assert.doesNotMatch(stderr, /RuntimeError|unreachable executed|at .*\.js:\d+/);
      assert.equal(status, 1);
      assert.ok(megabytes > 30 && megabytes <= MOST_MEMORY, `it took ${megabytes.toFixed(0)} MB`);
      assert.ok(seconds < most, `it took ${seconds.toFixed(1)} s`);
      assert.equal(await hosted.refs(destination), destination === "behind" ? `refs/heads/main ${commit}` : "");
    });
  }
});
