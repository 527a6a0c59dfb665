// Tests the verdict itself: which violations it must find in a Git server's log.
import assert from "node:assert/strict";
import { test } from "node:test";

import { overlapping } from "./verdict.mjs";

/** @typedef {[asker: number, call: string, began: number, ended: number | null]} Request */

/**
 * Requests of one repository, each `[asker, call, began, ended]`.
 *
 * @param {Request[]} requests
 */
function judged(...requests) {
  /**
   * @param {Request} request
   * @returns {import("./upstreams.mjs").Entry}
   */
  const entry = ([asker, call, began, ended]) => ({ repository: "r", asker, call, began, ended });
  return overlapping(requests.map(entry)).map((violation) => violation.split(":")[0]);
}

const [refs, list, read, write] = ["info/refs", "ls-refs", "fetch", "git-receive-pack"];

test("runs one after the other are sound, pulls and pushes", () => {
  /** @type {Request[]} */
  const pull = [
    [1, list, 0, 9],
    [1, read, 10, 15],
  ];
  /** @type {Request[]} */
  const inOrder = [
    [2, list, 20, 30],
    [2, refs, 31, 35],
    [2, list, 36, 40],
  ];
  /** @type {Request[]} */
  const push = [
    [3, refs, 40, 45],
    [3, write, 46, 50],
  ];
  assert.deepEqual(judged(...pull, ...inOrder, ...push), []);
});

test("two requests at once are seen, of two processes or of one", () => {
  assert.deepEqual(judged([1, refs, 0, 9], [2, refs, 5, 9]), ["at once"]);
  assert.deepEqual(judged([1, list, 0, 9], [1, refs, 5, 9]), ["at once"]);
  assert.deepEqual(judged([1, list, 0, 9], [2, read, 5, 9]), ["at once", "mixed"]);
  assert.deepEqual(judged([1, list, 0, 9], [1, read, 20, 90], [2, list, 50, 55]), ["at once"]);
  assert.deepEqual(judged([1, refs, 0, 1], [1, write, 2, null], [2, refs, 50, 55]), ["at once"]);
});

test("a request that follows another process's is seen", () => {
  assert.deepEqual(judged([1, refs, 0, 9], [1, write, 20, 30], [2, write, 40, 50]), ["mixed"]);
  assert.deepEqual(judged([1, list, 0, 9], [2, list, 20, 30], [1, read, 40, 50]), ["mixed"]);
  assert.deepEqual(judged([1, read, 0, 9]), ["mixed"]);
});
