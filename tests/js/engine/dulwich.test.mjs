/** The engine with dulwich, a Git server that does not use Git, as the source and as the destination. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { sync } from "../../../pkg/dist/engine.js";
import { gitHttpBackend, guardedFetch, serve } from "../../../pkg/dist/node.js";
import { messageOf } from "../../../scripts/command.mjs";
import { git } from "../../support/git/git.mjs";
import { grow } from "../../support/git/history.mjs";

/** @import { SyncRunStats } from "refsync" */

const python = fileURLToPath(new URL("../../../target/tools/dulwich/bin/python", import.meta.url));
assert.ok(existsSync(python), "dulwich is not installed; run: node scripts/setup.mjs --tests");

const root = await mkdtemp(join(tmpdir(), "refsync-dulwich-"));
const backend = gitHttpBackend({ root });
const pairs = ["first", "second"].flatMap((name) => [`${name}-from`, `${name}-to`]);
for (const name of pairs) await backend.create(name, "main");
/** @param {string} name */
const folder = (name) => join(root, `${name}.git`);
for (const name of pairs.filter((n) => n.endsWith("from"))) await grow(folder(name), 220);

const listener = await serve({
  service: {
    fetch: (request) => backend.fetch(new Request(request.url.replace("/git/", "/"), request)),
  },
});
const child = spawn(python, [fileURLToPath(new URL("serve_dulwich.py", import.meta.url)), root], {
  stdio: ["ignore", "pipe", "pipe"],
});
let said = "";
child.stderr.setEncoding("utf8").on("data", (text) => {
  said = (said + text).slice(-4000);
});
const [port] = await once(createInterface({ input: child.stdout }), "line");
const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
after(async () => {
  fetch.close();
  child.kill();
  await listener.close(0);
  await rm(root, { recursive: true, force: true });
});

/** @param {string} name */
const dulwich = (name) => `http://127.0.0.1:${port}/${name}.git`;
/** @param {string} name */
const real = (name) => `http://127.0.0.1:${listener.port}/git/${name}.git`;
/** @param {string} name */
const refs = (name) => git(folder(name), "for-each-ref", "--format=%(refname) %(objectname)");
/**
 * @param {SyncRunStats} stats
 * @returns {Record<string, string>}
 */
const outcomes = (stats) => Object.fromEntries(stats.refs.map((ref) => [ref.name, ref.reason ?? ref.outcome]));

for (const { from, to, name } of [
  { from: dulwich, to: real, name: "first" },
  { from: real, to: dulwich, name: "second" },
]) {
  const role = from === dulwich ? "source" : "destination";
  const [source, destination] = [`${name}-from`, `${name}-to`];
  const run = async () => {
    try {
      return await sync({ source: from(source), destination: to(destination), fetch });
    } catch (error) {
      throw new Error(`${messageOf(error)}\ndulwich said: ${said}`, { cause: error });
    }
  };
  /**
   * @param {string} repository
   * @param {string} branch
   */
  const commitOn = async (repository, branch) => {
    const tree = await git(folder(repository), "rev-parse", `${branch}^{tree}`);
    const id = await git(folder(repository), "commit-tree", tree, "-p", branch, "-m", `news in ${repository}`);
    await git(folder(repository), "update-ref", `refs/heads/${branch}`, id);
  };

  test(`dulwich as the ${role}: a first sync, news, and nothing new`, async () => {
    const first = await run();
    assert.deepEqual(new Set(Object.values(outcomes(first))), new Set(["updated"]));
    assert.equal(await refs(destination), await refs(source));
    await git(folder(destination), "fsck", "--strict");
    await commitOn(source, "main");
    assert.equal(outcomes(await run())["refs/heads/main"], "updated", "proved from the flowing pack");
    assert.equal(await refs(destination), await refs(source));
    assert.deepEqual(new Set(Object.values(outcomes(await run()))), new Set(["unchanged"]));
  });

  test(`dulwich as the ${role}: a diverged branch stays, others move, by a question of their own`, async () => {
    for (const branch of ["main", "side", "release/1", "release/2"]) await commitOn(source, branch);
    await git(folder(source), "branch", "later", "main");
    await git(folder(destination), "branch", "later", "main~5");
    await commitOn(destination, "release/1");
    const ours = await git(folder(destination), "rev-parse", "release/1");
    const seen = outcomes(await run());
    assert.equal(seen["refs/heads/release/1"], "non_fast_forward");
    for (const name of ["main", "side", "release/2", "later"])
      assert.equal(seen[`refs/heads/${name}`], "updated", name);
    assert.equal(await git(folder(destination), "rev-parse", "release/1"), ours);
    await git(folder(destination), "fsck", "--strict");
  });
}
