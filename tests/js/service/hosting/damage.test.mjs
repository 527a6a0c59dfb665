// Hosted repositories with damaged files. The API shows each kind of damage, the repository can be deleted, and a pull
// repairs it.
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { git, start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Repo, SyncRunRef } from "refsync"
 */

/**
 * A service with `up` and `well`. `make` adds a repository that was pulled from `up` and has a branch of its own.
 *
 * @param {TestContext} t
 */
async function served(t) {
  const s = await start(t);
  const url = await s.listen();
  const tree = await mkdtemp(join(tmpdir(), "refsync-tree-"));
  t.after(() => rm(tree, { recursive: true, force: true }));
  /** @param {string} name */
  const remote = (name) => `${url.replace("://", `://git:${s.keys.admin}@`)}/acme/${name}.git`;
  await git(tree, "init", "--quiet", "--initial-branch=main");
  for (const n of [1, 2, 3, 4]) {
    // Large enough to have a middle that can be damaged.
    writeFileSync(
      join(tree, `file-${n}`),
      Array.from({ length: 400 }, (_, i) => `${n} ${(i * 7919 * n) % 104729}\n`).join(""),
    );
    await git(tree, "add", ".");
    await git(tree, "commit", "--quiet", "-m", `commit ${n}`);
  }
  await git(tree, "branch", "release/1", "HEAD~2");
  await git(tree, "tag", "-a", "v1", "-m", "v1");
  const upstream = { url: `${url}/acme/up.git`, auth: { kind: "token", token: s.keys.admin } };
  await s.ok("POST", "/acme/repos", { name: "up" });
  await s.ok("POST", "/acme/repos", { name: "well", upstream });
  await git(tree, "push", "--quiet", remote("up"), "--all");
  await git(tree, "push", "--quiet", remote("up"), "--tags");
  /**
   * @param {"pull" | "push"} direction
   * @param {string} [name]
   * @param {{ branches?: string, tags?: string }} [ref_globs]
   */
  const run = async (direction, name = "app", ref_globs) => {
    const { id } = await s.ok("POST", `/acme/${name}/upstream/syncs`, { direction, ...(ref_globs && { ref_globs }) });
    await s.service.tick();
    return s.ok("GET", `/acme/${name}/upstream/syncs/${id}`);
  };
  await git(tree, "checkout", "--quiet", "-b", "only-here", "HEAD~1");
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "of app alone");
  /**
   * @param {string} name
   * @param {string[]} patterns
   */
  const refs = async (name, ...patterns) => git(tree, "ls-remote", remote(name), ...patterns);
  const root = join(s.folder, "repositories");
  const make = async (name = "app") => {
    const { id } = await s.ok("POST", "/acme/repos", { name, upstream });
    const pulled = await run("pull", name);
    assert.equal(pulled.status, "completed", pulled.error);
    await git(tree, "push", "--quiet", remote(name), "only-here");
    const path = join(root, `${id}.git`);
    // One pack and packed refs, as after Git's housekeeping.
    await git(path, "gc", "--quiet");
    return { id, path };
  };
  return { s, tree, remote, run, refs, root, make };
}

/**
 * The same with the repository `app`.
 *
 * @param {TestContext} t
 */
async function filled(t) {
  const service = await served(t);
  return { ...service, ...(await service.make()) };
}

/**
 * The path of a file in `objects/pack`.
 *
 * @param {string} path
 * @param {string} extension
 */
function pack(path, extension) {
  const folder = join(path, "objects/pack");
  return join(folder, present(readdirSync(folder).find((name) => name.endsWith(extension))));
}

/**
 * @param {string} file
 * @param {number} at
 * @param {string} text
 */
function overwrite(file, at, text) {
  const bytes = readFileSync(file);
  Buffer.from(text).copy(bytes, at);
  rmSync(file);
  writeFileSync(file, bytes);
}

/**
 * @param {string} file
 * @param {number} bytes
 */
const cutShort = (file, bytes) => {
  const copy = readFileSync(file).subarray(0, bytes);
  rmSync(file);
  writeFileSync(file, copy);
};

/** Notes damage like a backup that read everything. */
const noted = `UPDATE refsync.repos SET damage = '{"reason": "noted", "is_plain": false}' WHERE id = $1::text`;

/**
 * The damage to the repository, the text of `damaged` (null if only a full read finds the damage), and whether its own
 * branch is lost.
 *
 * @type {Record<string, [damage: (path: string) => void, says: RegExp | null, isOwnBranchLost?: boolean]>}
 */
const kinds = {
  "its folder is gone": [(path) => rmSync(path, { recursive: true }), /its folder is missing/, true],
  "a file is in its place": [
    (path) => {
      rmSync(path, { recursive: true });
      writeFileSync(path, "");
    },
    /a file is in its folder's place/,
    true,
  ],
  "an empty folder is in its place": [
    (path) => {
      rmSync(path, { recursive: true });
      mkdirSync(path);
    },
    /its folder objects is missing/,
    true,
  ],
  "HEAD is gone": [(path) => rmSync(join(path, "HEAD")), /its file HEAD is missing/],
  "HEAD is garbage": [(path) => writeFileSync(join(path, "HEAD"), "\0\0\0"), /its file HEAD names no branch/],
  "HEAD is a folder": [
    (path) => {
      rmSync(join(path, "HEAD"));
      mkdirSync(join(path, "HEAD"));
    },
    /its file HEAD is none/,
  ],
  "config is broken": [(path) => writeFileSync(join(path, "config"), "[core\n"), /bad config line 1/],
  "config is of another Git": [
    (path) => writeFileSync(join(path, "config"), "[core]\n\trepositoryformatversion = 99\n"),
    /Expected git repo version/,
  ],
  "the folder objects is gone": [
    (path) => rmSync(join(path, "objects"), { recursive: true }),
    /its folder objects is missing/,
    true,
  ],
  "the folder refs is gone": [(path) => rmSync(join(path, "refs"), { recursive: true }), /its folder refs is missing/],
  "packed-refs is garbage": [
    (path) => writeFileSync(join(path, "packed-refs"), "hello\n"),
    /unexpected line in .*packed-refs: hello/,
    true,
  ],
  "packed-refs is cut short": [
    (path) => truncateSync(join(path, "packed-refs"), statSync(join(path, "packed-refs")).size - 30),
    /packed-refs/,
  ],
  "a ref is garbage": [
    (path) => writeFileSync(join(path, "refs/heads/main"), "nonsense\n"),
    /broken ref refs\/heads\/main/,
  ],
  "a ref is empty": [(path) => writeFileSync(join(path, "refs/heads/main"), ""), /broken ref refs\/heads\/main/],
  "a ref names an object that is missing": [
    (path) => writeFileSync(join(path, "refs/heads/main"), `${"1".repeat(40)}\n`),
    /missing object 1{40} for refs\/heads\/main/,
  ],
  "a ref beside HEAD names an object that is missing": [
    (path) => writeFileSync(join(path, "refs/heads/other"), `${"1".repeat(40)}\n`),
    /missing object 1{40} for refs\/heads\/other/,
  ],
  "the pack is gone": [(path) => rmSync(pack(path, ".pack")), /missing object/, true],
  "the pack is cut short": [(path) => cutShort(pack(path, ".pack"), 2000), /does not match index/, true],
  "the pack's index is gone": [(path) => rmSync(pack(path, ".idx")), /missing object/, true],
  "the pack is garbled in its middle": [
    (path) => overwrite(pack(path, ".pack"), statSync(pack(path, ".pack")).size >> 1, "XXXXXXXXXXXXXXXX"),
    null,
    true,
  ],
};

/** The damage that a check of the files finds. */
const MISSING_FILES = /its folder|its file HEAD/;

test("a damaged repository is shown, hides no other one, and is healed by a pull or deleted", async (t) => {
  const { s, run, refs, root, make } = await served(t);
  /** @param {string} id */
  const filesOf = (id) => readdirSync(root).filter((name) => name.includes(id));
  let count = 0;
  for (const [kind, [damage, says, isOwnBranchLost = false]] of Object.entries(kinds)) {
    count += 1;
    const name = `app-${count}`;
    await t.test(`${kind}: a pull heals it`, async () => {
      const { id, path } = await make(name);
      const own = await refs(name, "refs/heads/only-here");
      damage(path);
      // A list does not check each ref. It shows noted damage and missing files.
      const [first] = (await s.ok("GET", "/acme/repos")).repos;
      if (says !== null && MISSING_FILES.test(says.source)) assert.match(first.damaged, says);
      const shown = await s.ok("GET", `/acme/${name}`);
      const { repos } = await s.ok("GET", "/acme/repos");
      assert.deepEqual(
        repos.map((/** @type {Repo} */ repo) => repo.name),
        [name, "well", "up"],
      );
      for (const repo of [shown, ...repos]) assert.match(repo.head_change_id, /^[k-z]{32}$/);
      for (const repo of repos.slice(1)) assert.equal("damaged" in repo, false, "absent when all is well");
      if (says === null) {
        assert.equal("damaged" in shown, false);
        await s.sql(noted, [id]);
        assert.equal((await s.ok("GET", `/acme/${name}`)).damaged, "noted");
      } else {
        assert.match(shown.damaged, says);
        const foreign = /\/tmp|fatal|error:/;
        assert.doesNotMatch(shown.damaged, foreign, "no path of the machine, and no word of Git's for itself");
        assert.match(repos[0].damaged, says, "in the list, too");
      }
      // Changes that do not need the files are still possible.
      await s.ok("PATCH", `/acme/${name}`, { tags: { seen: "yes" } });

      const healed = await run("pull", name);
      assert.equal(healed.status, "completed", healed.error);
      assert.deepEqual(
        healed.stats.refs.filter((/** @type {SyncRunRef} */ { outcome }) => outcome === "rejected"),
        [],
      );
      assert.equal("damaged" in (await s.ok("GET", `/acme/${name}`)), false);
      for (const pattern of ["refs/heads/main", "refs/heads/release/*", "refs/tags/*", "HEAD"]) {
        assert.equal(await refs(name, pattern), await refs("up", pattern), pattern);
      }
      assert.equal(await git(path, "fsck", "--strict"), "");
      if (!isOwnBranchLost) assert.equal(await refs(name, "refs/heads/only-here"), own, "what is whole is saved");
      const kept = readdirSync(root).filter((file) => file.startsWith(`.damaged-${id}`));
      assert.equal(kept.length, kind === "its folder is gone" ? 0 : 1);
      const told = new RegExp(`repository acme/${name} .* was damaged and has been recreated`);
      assert.ok(
        s.lines.some((line) => told.test(line)),
        s.lines.join("\n"),
      );
      const again = await run("pull", name);
      assert.equal(
        again.stats.refs.every((/** @type {SyncRunRef} */ { outcome }) => outcome === "unchanged"),
        true,
      );
    });

    await t.test(`${kind}: it can be deleted, and its name is free again`, async () => {
      const { id } = await s.ok("GET", `/acme/${name}`);
      const path = join(root, `${id}.git`);
      await git(path, "gc", "--quiet");
      damage(path);
      assert.deepEqual(await s.ok("DELETE", `/acme/${name}`), { success: true });
      assert.deepEqual(filesOf(id), [], "nothing of it is left");
      const again = await s.ok("POST", "/acme/repos", { name });
      assert.equal("damaged" in again, false);
      await s.ok("DELETE", `/acme/${name}`);
    });
  }
});

test("a push from a damaged repository rejects what is lost, and notes it; a pull of one branch does not hide what is lost", async (t) => {
  const { s, run, refs, path } = await filled(t);
  rmSync(pack(path, ".pack"));
  const pushed = await run("push");
  assert.equal(pushed.status, "completed", pushed.error);
  const own = pushed.stats.refs.find((/** @type {SyncRunRef} */ { name }) => name === "refs/heads/only-here");
  assert.deepEqual([own.outcome, own.reason], ["rejected", "missing_objects"]);
  const [{ damaged }] = await s.sql("SELECT damage ->> 'reason' AS damaged FROM refsync.repos WHERE name = 'app'");
  assert.match(damaged, /missing object/);
  const part = await run("pull", "app", { branches: "main" });
  assert.equal(part.status, "completed", part.error);
  assert.match((await s.ok("GET", "/acme/app")).damaged, /recreated without the lost parts: missing object/);
  assert.equal(await refs("app", "refs/heads/*"), await refs("up", "refs/heads/main"));
  assert.equal((await run("pull")).status, "completed");
  assert.equal("damaged" in (await s.ok("GET", "/acme/app")), false);
  assert.equal(await refs("app", "refs/tags/*"), await refs("up", "refs/tags/*"));
});

test("what the machine cannot read at this moment is shown, but not recreated", async (t) => {
  const { s, run, path, root, id } = await filled(t);
  // Simulates a failing disk: Git is replaced by a program that reports it.
  const broken = join(s.folder, "bin");
  mkdirSync(broken);
  writeFileSync(join(broken, "git"), "#!/bin/sh\necho 'fatal: unable to read: Input/output error' >&2; exit 128\n", {
    mode: 0o755,
  });
  const { PATH } = process.env;
  process.env.PATH = `${broken}:${PATH}`;
  try {
    assert.match((await s.ok("GET", "/acme/app")).damaged, /Input\/output error/);
    await s.sql(noted, [id]);
    await run("pull");
  } finally {
    process.env.PATH = PATH;
  }
  assert.ok(existsSync(join(path, "HEAD")));
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith(".")),
    [],
  );
});

test("of a repository that is damaged again and again the last three are kept", async (t) => {
  const { s, run, path, root } = await filled(t);
  for (let n = 0; n < 5; n += 1) {
    rmSync(join(path, "HEAD"));
    assert.equal((await run("pull")).status, "completed");
  }
  assert.equal(readdirSync(root).filter((name) => name.startsWith(".damaged-")).length, 3);
  assert.equal("damaged" in (await s.ok("GET", "/acme/app")), false);
});

test("files that their owner may not read are made readable, and nothing is lost", async (t) => {
  const { s, run, path, refs } = await filled(t);
  const was = await refs("app");
  await git(path, "config", "gc.auto", "0");
  chmodSync(join(path, "objects"), 0);
  const { damaged } = await s.ok("GET", "/acme/app");
  // Root can read everything.
  if (process.getuid?.() === 0) assert.equal(damaged, undefined);
  else assert.match(damaged, /permission denied|Permission denied/);
  assert.equal((await run("pull")).status, "completed");
  assert.equal(await refs("app"), was);
  await s.ok("DELETE", "/acme/app");
});
