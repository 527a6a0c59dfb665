import assert from "node:assert/strict";
import { test } from "node:test";

import { lineLog } from "refsync/node";

import { present } from "../../support/present.mjs";

/** @import { LogRecord } from "refsync/service" */

/** @type {Extract<LogRecord, { event: "request" }>} */
const request = {
  event: "request",
  trace_id: "0123456789abcdef",
  method: "GET",
  path: "/v1/whoami",
  route: "/whoami",
  status: 200,
  duration_ms: 3,
};
/** @type {Extract<LogRecord, { event: "sync" }>} */
const run = {
  event: "sync",
  trace_id: "0123456789abcdef",
  sync_id: "sync_1",
  repo_id: "repo_1",
  org: "acme",
  repo: "app",
  direction: "pull",
  attempt: 2,
  status: "completed",
  duration_ms: 812,
  refs: { updated: 1, unchanged: 0, filtered: 0, rejected: 2 },
};

/**
 * @param {LogRecord} record
 * @param {import("refsync/node").LogOptions} [options]
 */
function written(record, options) {
  /** @type {string[]} */
  const lines = [];
  lineLog({ stream: { write: (text) => lines.push(text) }, ...options })(record);
  assert.equal(lines.length, 1);
  const line = present(lines[0]);
  assert.ok(line.endsWith("\n") && line.indexOf("\n") === line.length - 1, "one line");
  return line.trimEnd();
}

test("a record is one JSON object with its time and level, where there is no terminal", () => {
  const { time, level, ...rest } = JSON.parse(written(request));
  assert.deepEqual(rest, request);
  assert.equal(level, "info");
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000);
  assert.equal(JSON.parse(written({ ...request, status: 503, error: "why" })).level, "error");
  assert.equal(JSON.parse(written({ ...run, status: "failed", error: "why" })).level, "warn");
});

test("on a terminal a record is a line for people, which cannot move its cursor", () => {
  /** @param {LogRecord} record */
  const onTerminal = (record) => {
    /** @type {string[]} */
    const lines = [];
    lineLog({ stream: { isTTY: true, write: (line) => lines.push(line) } })(record);
    return lines.join("").replace(/^[\d:.]+ /, "");
  };
  assert.throws(() => JSON.parse(onTerminal(request)));
  assert.equal(onTerminal(request), "GET /v1/whoami 200 3 ms\n");
  assert.equal(onTerminal(run), "pull acme/app attempt 2 completed, 1 updated, 2 rejected 812 ms\n");
  const failed = onTerminal({ ...run, refs: undefined, status: "failed", error: "it said \u001b[2J\nno" });
  assert.equal(failed, "! pull acme/app attempt 2 failed 812 ms: it said \ufffd[2J no [0123456789abcdef]\n");
});

test("what looks like a credential is hidden, should one get as far as here", () => {
  const secrets = [
    `refsync_${"0".repeat(24)}_${"a".repeat(43)}`,
    `mesa_private_key_acme_${"b".repeat(64)}`,
    `whsec_${"c".repeat(43)}`,
    "joe:p4ssword",
    "dXNlcjpwYXNzd29yZA==",
  ];
  const [key, privateKey, webhook, inUrl, basic] = secrets;
  const message = `${key} ${privateKey} ${webhook} https://${inUrl}@h/x Authorization: Basic ${basic}`;
  for (const format of /** @type {const} */ (["json", "text"])) {
    const line = written({ event: "trouble", message }, { format });
    for (const secret of secrets) assert.ok(!line.includes(secret), line);
    assert.match(line, /https:\/\/\[hidden\]@h\/x/);
  }
});
