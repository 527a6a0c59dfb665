// The contestants, and the command of each one.
import { fileURLToPath } from "node:url";

/** @import { Command, Fixture, Who } from "./types.mjs" */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const all = "+refs/*:refs/*";
/**
 * @param {string} script
 * @param {string[]} args
 * @returns {Command}
 */
const shell = (script, ...args) => ["bash", "-ec", script, "bash", ...args];
const pushed = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];

/**
 * The names that the tables show.
 *
 * @type {Record<Who, string>}
 */
export const names = {
  refsync: "refsync",
  fetch: "`git fetch` into the destination",
  push: "`git push` from the source",
  mirror: "mirror clone + mirror push",
  kept: "kept mirror: fetch + push",
  lsRemote: "two `git ls-remote`",
  isomorphic: "isomorphic-git, one branch",
};

/**
 * Commands that update the destination to the source's state; `kept` is a mirror from an earlier round, `scratch` is empty.
 *
 * @type {Record<Who, (at: Fixture) => Command>}
 */
export const contestants = {
  refsync: ({ source, destination }) => [
    process.execPath,
    ...[here("../pkg/bin/refsync.js"), "sync", source.url, destination.url],
  ],
  fetch: ({ source, destination }) => [
    "git",
    ...["-C", destination.path, "fetch", "--quiet", "--no-auto-gc", source.url, all],
  ],
  push: ({ source, destination }) => ["git", "-C", source.path, "push", "--quiet", destination.url, ...pushed],
  mirror: ({ source, destination, scratch }) =>
    shell(
      'git clone --quiet --mirror "$1" "$3"; git -C "$3" push --quiet --mirror "$2"',
      source.url,
      destination.url,
      scratch,
    ),
  kept: ({ destination, kept }) =>
    shell('git -C "$1" fetch --quiet; git -C "$1" push --quiet --mirror "$2"', kept, destination.url),
  lsRemote: ({ source, destination }) =>
    shell('git ls-remote "$1" >/dev/null; git ls-remote "$2" >/dev/null', source.url, destination.url),
  isomorphic: ({ source, destination, scratch, branch }) => [
    "timeout",
    ...["900", process.execPath, here("isomorphic-git.mjs"), source.url, destination.url, scratch, branch],
  ],
};
