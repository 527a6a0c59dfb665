// Tests the globs of `refsync sync`: several of a kind, excludes, and globs that match nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { serve as listen } from "../../../../pkg/dist/node.js";
import { host } from "../../engine/support.mjs";
import { refsync } from "../support.mjs";

/** @type {Awaited<ReturnType<typeof host>>} */
let hosted;
/** @type {import("refsync/node").Listener} */
let listener;

before(async () => {
  hosted = await host("source", "empty");
  const tree = await hosted.git("source", "hash-object", "-w", "-t", "tree", "/dev/null");
  const commit = await hosted.git("source", "commit-tree", tree, "-m", "one");
  const refs = [
    "heads/main",
    "heads/dev",
    "heads/wip/a",
    "heads/wip/b",
    "heads/release/1",
    "heads/release/2",
    "tags/v1",
  ];
  for (const name of refs) await hosted.git("source", "update-ref", `refs/${name}`, commit);
  /** @param {Request} request */
  const fetch = (request) => hosted.fetch(request.url.replace("/org/", "/"), request);
  listener = await listen({ service: { fetch } });
});

after(async () => {
  await listener?.close(0);
  await hosted?.remove();
});

let count = 0;

/** @param {string} name */
const url = (name) => `${listener.url}/org/${name}.git`;

/**
 * Syncs into a new repository. Returns the output, the exit code, and the refs that have arrived.
 *
 * @param {string[]} flags
 */
async function sync(flags, { from = "source" } = {}) {
  const to = `to-${count++}`;
  await hosted.create(to);
  const { stdout, stderr, status } = await refsync(["sync", url(from), url(to), ...flags]);
  const refs = (await hosted.refs(to)).split("\n").filter(Boolean);
  return { stdout, stderr, status, arrived: refs.map((line) => line.replace(/^refs\/| .*/g, "")) };
}

test("several --branches, --tags and --exclude all count, and --exclude takes one value", async () => {
  const branches = ["--branches", "main", "--branches", "release/*", "--branches", "wip/*"];
  const exclude = ["--exclude", "refs/heads/wip/a", "--exclude", "refs/heads/release/2"];
  const { status, arrived, stderr } = await sync([...branches, ...exclude, "--tags", "v1", "--tags", "v*"]);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.deepEqual(arrived, ["heads/main", "heads/release/1", "heads/wip/b", "tags/v1"]);

  await hosted.create("first");
  const inFront = await refsync([
    "sync",
    "--exclude",
    "refs/heads/wip/*",
    url("source"),
    url("first"),
    "--branches",
    "*",
  ]);
  assert.equal(inFront.status, 0, inFront.stderr);
  assert.doesNotMatch(await hosted.refs("first"), /wip/);
});

const has = "in refs/heads/ of the source, which has 6: dev, main, release/1, release/2, wip/a, …";
/** @type {[flags: string[], lines: string[]][]} */
const unmatched = [
  [["--branches", "mian"], [`--branches 'mian' matches no branch ${has}; did you mean --branches 'main'?`]],
  [["--branches", "Main"], [`--branches 'Main' matches no branch ${has}; did you mean --branches 'main'?`]],
  [
    ["--branches", "refs/heads/main"],
    [
      `--branches 'refs/heads/main' matches no branch ${has}; globs are short names, without refs/heads/: did you mean --branches 'main'?`,
    ],
  ],
  [
    ["--branches", "refs/tags/v1"],
    [
      `--branches 'refs/tags/v1' matches no branch ${has}; globs are short names, without refs/tags/: did you mean --tags 'v1'?`,
    ],
  ],
  [
    ["--branches", "heads/*"],
    [
      `--branches 'heads/*' matches no branch ${has}; globs are short names, without refs/heads/: did you mean --branches '*'?`,
    ],
  ],
  [
    ["--tags", "refs/pull/1"],
    [
      "--tags 'refs/pull/1' matches no tag in refs/tags/ of the source, which has 1: v1; globs are short names, without refs/heads/ and refs/tags/",
    ],
  ],
  [["--branches", "feature/*"], [`--branches 'feature/*' matches no branch ${has}`]],
  [
    ["--branches", "main", "--branches", "none", "--branches", "none", "--tags", "w*"],
    [
      `--branches 'none' matches no branch ${has}`,
      "--tags 'w*' matches no tag in refs/tags/ of the source, which has 1: v1",
    ],
  ],
];
for (const [flags, lines] of unmatched) {
  test(`refsync sync ${flags.join(" ")} says what matches nothing, and exits with 4 where that is asked for`, async () => {
    const usual = await sync(flags);
    assert.equal(usual.stderr, lines.map((line) => `warning: ${line}\n`).join(""));
    assert.equal(usual.status, 0);
    const failing = await sync([...flags, "--fail-if-empty", "--json"]);
    assert.equal(failing.status, 4);
    assert.equal(failing.stderr, usual.stderr);
    assert.deepEqual(failing.arrived, usual.arrived, "what matches arrives all the same");
    /** @type {{ refs: { name: string }[], unmatched: { kind: string, glob: string }[] }} */
    const { refs, unmatched: told } = JSON.parse(failing.stdout);
    assert.deepEqual(
      refs.map(({ name }) => name.replace("refs/", "")),
      failing.arrived,
    );
    assert.equal(told.length, lines.length);
    for (const { kind, glob } of told) assert.ok(flags.includes(`--${kind}`) && flags.includes(glob), glob);
  });
}

test("globs that match, and those that are empty on purpose, say nothing", async () => {
  for (const flags of [["--branches", "main"], ["--tags", "*"], ["--branches", "", "--tags", "v1"], []]) {
    const { status, stderr, stdout } = await sync([...flags, "--fail-if-empty", "--json"]);
    assert.deepEqual([status, stderr], [0, ""], `${flags}`);
    assert.equal("unmatched" in JSON.parse(stdout), false);
  }
});

test("an empty source exits with 4 where that is asked for, with globs and without", async () => {
  for (const flags of [[], ["--branches", "*"]]) {
    const usual = await sync(flags, { from: "empty" });
    assert.deepEqual([usual.status, usual.stdout], [0, "no ref of the source matches\n"]);
    assert.equal(usual.stderr.includes("which has none"), flags.length > 0);
    assert.equal((await sync([...flags, "--fail-if-empty"], { from: "empty" })).status, 4);
  }
});

test("a plan says it too", async () => {
  const { status, stderr, arrived } = await sync(["--plan", "--branches", "mian", "--fail-if-empty"]);
  assert.deepEqual([status, arrived], [4, []]);
  assert.match(stderr, /'mian' matches no branch/);
});

test("an exclude that is a short name would leave nothing out, and is wrong usage", async () => {
  const { status, stderr, arrived } = await sync(["--exclude", "refs/heads/dev", "--exclude", "wip/*"]);
  assert.equal(status, 2);
  assert.match(stderr, /exclude\[1\] matches no full ref name.*write refs\/heads\/wip\/\* for branches/);
  assert.deepEqual(arrived, [], "nothing was synced");
  for (const exclude of ["*wip*", "refs/*/wip/*", ""]) assert.equal((await sync(["--exclude", exclude])).status, 0);
});
