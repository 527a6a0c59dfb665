// The measured works: who takes part, the state of the destination before each turn, and the required state afterwards. A
// work with `warmsUp` has one extra round before the rounds that count.
import { empty, git, refs, restore } from "./fixtures.mjs";

/** @import { Fixture, Shape, Who, Work } from "./types.mjs" */

/**
 * If there are more refs than this, the destination needs minutes to create them for every contestant. So there is no first
 * sync.
 */
const MOST_NEW_REFS = 20_000;
/** isomorphic-git needs minutes for 70 MB, and holds a repository in memory several times. */
const MOST_FOR_ISOMORPHIC = 100e6;

/**
 * The works for a repository with this many refs and pack bytes.
 *
 * @param {Shape} shape
 * @returns {Work[]}
 */
export function works({ refCount, packBytes }) {
  /** @type {Who[]} */
  const forAll = ["refsync", "fetch", "push", "mirror"];
  /** @type {Work} */
  const first = {
    id: "first",
    name: "first sync",
    who: packBytes <= MOST_FOR_ISOMORPHIC ? [...forAll, "isomorphic"] : forAll,
    warmsUp: false,
    before: (at) => empty(at.destination.path),
  };
  /** @type {Work} */
  const commits = {
    id: "commits",
    name: "20 new commits",
    who: ["refsync", "push", "fetch", "kept"],
    warmsUp: true,
    before: (at) => {
      restore(at.old, at.destination.path);
      restore(at.old, at.kept);
      git(at.kept, "config", "remote.origin.url", at.source.url);
      git(at.kept, "config", "remote.origin.fetch", "+refs/*:refs/*");
    },
  };
  /** @type {Work} */
  const nothing = {
    id: "nothing",
    name: "nothing new",
    who: ["refsync", "lsRemote"],
    warmsUp: true,
    before: (at) => restore(at.source.path, at.destination.path),
  };
  return [...(refCount <= MOST_NEW_REFS ? [first] : []), commits, nothing];
}

/**
 * Checks the result, because a fast wrong sync does not count.
 *
 * @param {Fixture} at
 * @param {Work} work
 * @param {Who} who
 */
export function check(at, work, who) {
  const part = who === "isomorphic" ? [at.branch] : ["refs/heads", "refs/tags"];
  if (refs(at.source.path, ...part) !== refs(at.destination.path, ...part)) {
    throw new Error(`${work.name}: ${who}: the refs differ afterwards`);
  }
}
