// The verdict itself: what it must see in a Git server's log.
import assert from "node:assert/strict";
import { test } from "node:test";

import { overlapping } from "./verdict.mjs";

/** Requests of one repository, each `[asker, call, began, ended]`. */
function judged(...requests) {
  const entry = ([asker, call, began, ended]) => ({ repository: "r", asker, call, began, ended });
  return overlapping(requests.map(entry)).map((violation) => violation.split(":")[0]);
}

const [refs, read, write] = ["info/refs", "git-upload-pack", "git-receive-pack"];

test("runs one after the other are sound, in whichever order their first two requests came", () => {
  const first = [
    [1, refs, 0, 9],
    [1, read, 1, 5],
    [1, read, 20, 30],
  ];
  const second = [
    [2, read, 40, 48],
    [2, refs, 41, 45],
    [2, read, 50, 60],
    [3, refs, 70, 75],
    [3, write, 76, 80],
  ];
  assert.deepEqual(judged(...first, ...second), []);
});

test("requests of two processes at once, and a third request beside a run's first, are seen", () => {
  assert.deepEqual(judged([1, refs, 0, 9], [2, refs, 5, 9]), ["at once"]);
  assert.deepEqual(judged([1, refs, 0, 9], [1, refs, 5, 9]), ["at once"]);
  assert.deepEqual(judged([1, refs, 0, 9], [2, read, 5, 9]), ["at once", "mixed"]);
  assert.deepEqual(judged([1, refs, 0, 9], [1, read, 20, 90], [2, refs, 50, 55]), ["at once"]);
  assert.deepEqual(judged([1, refs, 0, 1], [1, write, 2, null], [2, refs, 50, 55]), ["at once"]);
});

test("a request that follows another process's is seen", () => {
  assert.deepEqual(judged([1, refs, 0, 9], [1, read, 20, 30], [2, write, 40, 50]), ["mixed"]);
  assert.deepEqual(judged([1, write, 0, 9]), ["mixed"]);
});
