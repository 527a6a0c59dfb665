// The default branch of a repository after a pull. It is the upstream's, unless a request named one. Git's own clone is the
// judge.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { PGlite } from "@electric-sql/pglite";
import { gitHttpBackend } from "refsync/node";
import { Service } from "refsync/service";

import { present } from "../../../support/present.mjs";
import { receive } from "../receiver.mjs";
import { git, start } from "../support.mjs";

/**
 * A service whose repository `source` has these branches, each with a commit of its own; `HEAD` names the first.
 *
 * @param {import("node:test").TestContext} t
 * @param {string[]} branches
 */
async function upstream(t, ...branches) {
  const s = await start(t);
  const address = await s.listen();
  const { id } = await s.ok("POST", "/acme/repos", { name: "source" });
  const work = join(s.folder, "work");
  await git(s.folder, "init", "-q", "work");
  /** @param {string} name */
  const remote = (name) => `${address.replace("//", `//x:${s.keys.write}@`)}/acme/${name}.git`;
  for (const branch of branches) {
    await git(work, "checkout", "-q", "--orphan", branch);
    await git(work, "commit", "-q", "--allow-empty", "-m", branch);
    await git(work, "push", "-q", remote("source"), branch);
  }
  /** @param {string} repoId */
  const bare = (repoId) => join(s.folder, "repositories", `${repoId}.git`);
  /** @param {string[]} args */
  const head = (...args) => git(bare(id), "symbolic-ref", "HEAD", ...args);
  if (branches.length > 0) await head(`refs/heads/${branches[0]}`);
  const url = `${address}/acme/source.git`;
  const auth = { kind: "token", token: s.keys.write };
  return {
    ...s,
    work,
    remote,
    head,
    /** @param {string[]} args */
    source: (...args) => git(bare(id), ...args),
    upstream: { url, auth },
    /** A repository that follows the source. */
    mirror: (more = {}) => s.ok("POST", "/acme/repos", { name: "app", upstream: { url, auth }, ...more }),
    /**
     * Does a run to its end, and returns its messages.
     *
     * @param {Partial<import("refsync").RefGlobs>} [ref_globs]
     */
    async pull(ref_globs, direction = "pull") {
      const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction, ...(ref_globs && { ref_globs }) });
      await s.service.tick();
      const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
      assert.equal(run.status, "completed", run.error);
      /** @type {import("refsync").SyncRunMessage[]} */
      const messages = run.stats.messages ?? [];
      for (const { side } of messages) assert.equal(side, "refsync");
      return messages.map(({ text }) => text);
    },
    /** The branch that a fresh clone of the mirror checks out, and whether it has a commit. */
    async cloned() {
      const clone = join(s.folder, `clone-${Math.random()}`);
      await git(s.folder, "clone", "-q", remote("app"), clone);
      const isBorn = await git(clone, "rev-parse", "--verify", "HEAD").then(
        () => true,
        () => false,
      );
      return [(await git(clone, "symbolic-ref", "HEAD")).replace("refs/heads/", ""), isBorn];
    },
    shown: async () => (await s.ok("GET", "/acme/app")).default_bookmark,
  };
}

test("a repository made with defaults takes the upstream's default branch, and tells it once", async (t) => {
  const s = await upstream(t, "master", "dev");
  const hook = await receive(t);
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events: ["repo.updated", "sync.completed"] });
  const { id, default_bookmark } = await s.mirror({ tags: { a: "1" } });
  assert.equal(default_bookmark, "main");
  assert.deepEqual(await s.pull(), ["The default branch is now master, as at the upstream. It was main."]);
  const shown = await s.ok("GET", "/acme/app");
  assert.deepEqual([shown.default_bookmark, shown.tags], ["master", { a: "1" }]);
  assert.deepEqual(await s.cloned(), ["master", true]);
  assert.deepEqual(await s.pull(), [], "nothing has changed");

  while (await s.service.deliver());
  assert.deepEqual(hook.types().sort(), ["repo.updated", "sync.completed", "sync.completed"]);
  const { data } = present(hook.deliveries.find(({ event }) => event.type === "repo.updated")).event;
  /** @param {string} branch */
  const state = (branch) => ({ name: "app", default_bookmark: branch, tags: { a: "1" } });
  assert.deepEqual([data.before, data.after], [state("main"), state("master")]);
  assert.deepEqual(
    [data.repo.id, data.repo.default_bookmark, data.repo.head_change_id],
    [id, "master", shown.head_change_id],
  );
});

test("it follows when the upstream changes its default branch", async (t) => {
  const s = await upstream(t, "master", "main");
  await s.mirror();
  await s.pull();
  assert.deepEqual(await s.cloned(), ["master", true]);
  await s.head("refs/heads/main");
  assert.deepEqual(await s.pull(), ["The default branch is now main, as at the upstream. It was master."]);
  assert.deepEqual(await s.cloned(), ["main", true]);
});

test("a default branch that was asked for stays, and the run says if it is not there", async (t) => {
  const s = await upstream(t, "master", "dev");
  await s.mirror({ default_bookmark: "trunk" });
  const missing =
    "The default branch is trunk, and the repository has no such branch. A clone checks out nothing until the branch exists " +
    "or default_bookmark is changed, for example to master.";
  assert.deepEqual(await s.pull(), [missing]);
  assert.deepEqual(await s.pull({ branches: "dev" }), [missing], "each run says so");
  assert.deepEqual([await s.shown(), await s.cloned()], ["trunk", ["trunk", false]]);

  await s.ok("PATCH", "/acme/app", { default_bookmark: "dev" });
  assert.deepEqual(await s.pull(), [], "dev is there");
  assert.deepEqual([await s.shown(), await s.cloned()], ["dev", ["dev", true]], "a PATCH asks for it, too");
});

test("a PATCH that names the default branch it has already counts as asked for, and is no event", async (t) => {
  const s = await upstream(t, "master");
  const hook = await receive(t);
  await s.mirror();
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events: ["repo.updated"] });
  await s.ok("PATCH", "/acme/app", { default_bookmark: "main" });
  const [said] = await s.pull();
  assert.match(said ?? "", /^The default branch is main, and the repository has no such branch/);
  assert.equal(await s.shown(), "main");
  assert.equal(await s.service.deliver(), false, "nothing that is shown has changed");
});

test("a null is no branch that was asked for", async (t) => {
  const s = await upstream(t, "master");
  await s.mirror({ default_bookmark: null });
  await s.pull();
  assert.equal(await s.shown(), "master");
});

test("where the upstream's HEAD names no branch that is here, a branch that is here is the default", async (t) => {
  const s = await upstream(t, "dev", "abc", "master");
  await s.mirror();
  // The globs leave out `main`, so it is not here. The first branch that is here is `abc`.
  /** @type {(name: string, was: string) => string} */
  const guess = (name, was) =>
    `The default branch is now ${name}. It was ${was}, which is not here, and HEAD of the upstream names no branch that is here. ` +
    "Change default_bookmark if another branch should be the default.";
  assert.deepEqual(await s.pull({ branches: "abc" }), [guess("abc", "main")]);
  assert.deepEqual(await s.cloned(), ["abc", true]);
  assert.deepEqual(await s.pull({ branches: "[am]*" }), [], "it stays, now that it is here");
  // HEAD is unborn. Then a branch with that name appears.
  await s.head("refs/heads/later");
  assert.deepEqual(await s.pull(), []);
  await s.source("branch", "later", "dev");
  assert.deepEqual(await s.pull(), ["The default branch is now later, as at the upstream. It was abc."]);
});

test("a detached HEAD stands for the branch at its commit", async (t) => {
  const s = await upstream(t, "dev", "other");
  await s.source("update-ref", "--no-deref", "HEAD", "other");
  await s.mirror();
  await s.pull();
  assert.deepEqual(await s.cloned(), ["other", true]);
});

test("a branch that is here by other ways is looked for, also where the run's globs leave it out", async (t) => {
  const s = await upstream(t, "master", "release/1");
  await s.mirror();
  await git(s.work, "push", "-q", s.remote("app"), "master:main");
  assert.deepEqual(await s.pull({ branches: "release/*" }), [], "main was pushed by somebody");
  assert.equal(await s.shown(), "main");
  await git(s.work, "push", "-q", s.remote("app"), "master");
  await s.pull({ branches: "release/*" });
  assert.deepEqual([await s.shown(), await s.cloned()], ["master", ["master", true]]);
});

test("a branch that was rejected and is not here does not become the default", async (t) => {
  const s = await upstream(t, "master", "dev");
  const { id } = await s.mirror();
  // A ref whose name blocks the branch.
  const bare = join(s.folder, "repositories", `${id}.git`);
  await git(s.work, "push", "-q", s.remote("app"), "dev:refs/heads/master/in/the/way");
  await s.pull();
  assert.equal(await git(bare, "symbolic-ref", "HEAD"), "refs/heads/dev");
});

test("a push changes no default branch, and an empty upstream none either", async (t) => {
  const s = await upstream(t, "master");
  const mirror = await s.mirror();
  assert.equal(mirror.default_bookmark, "main");
  assert.deepEqual(await s.pull(undefined, "push"), ["There is no branch and no tag at the repository."]);
  await s.source("update-ref", "-d", "refs/heads/master");
  assert.deepEqual(await s.pull(), ["There is no branch and no tag at the upstream."]);
  assert.equal(await s.shown(), "main");
});

test("a request that names a branch while a pull runs wins, in the database and in Git", async (t) => {
  const s = await upstream(t, "master", "dev");
  const { id } = await s.mirror();
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  // The statement that ends the run comes directly after the PATCH.
  /** @type {import("refsync/service").Database} */
  const late = {
    async query(text, params) {
      if (text.includes("SET status = 'completed'")) await s.ok("PATCH", "/acme/app", { default_bookmark: "dev" });
      return s.database.query(text, params);
    },
  };
  const service = new Service({
    database: late,
    git: gitHttpBackend({ root: join(s.folder, "repositories") }),
    fetch,
    secretKey: new Uint8Array(32).fill(7),
    log: (line) => s.lines.push(line),
  });
  await service.tick();
  assert.deepEqual(s.lines, []);
  assert.equal(await s.shown(), "dev");
  assert.equal(await git(join(s.folder, "repositories", `${id}.git`), "symbolic-ref", "HEAD"), "refs/heads/dev");
});

test("a HEAD that cannot be moved is told by the run, and nothing else changes", async (t) => {
  const s = await upstream(t, "master");
  const { id } = await s.mirror();
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const host = gitHttpBackend({ root: join(s.folder, "repositories") });
  const broken = { ...host, setHead: () => Promise.reject(new Error("the disk is full")) };
  /** @type {string[]} */
  const lines = [];
  const secretKey = new Uint8Array(32).fill(7);
  const service = new Service({ database: s.database, git: broken, fetch, secretKey, log: (line) => lines.push(line) });
  await service.tick();
  const [run] = (await s.ok("GET", "/acme/app/upstream/syncs")).syncs;
  assert.equal(run.status, "completed");
  assert.deepEqual(run.stats.messages, [
    {
      side: "refsync",
      text: "The default branch should be master now, but HEAD could not be moved to it. The service's log says why.",
    },
  ]);
  assert.deepEqual(lines, [`git: point HEAD of ${id} at master: the disk is full`]);
  assert.equal(await s.shown(), "main");
});

test("a repository from before this was noted changes only a default branch that is not there", async (t) => {
  const s = await upstream(t, "master", "main");
  await s.mirror();
  const forget = () => s.sql("UPDATE refsync.repos SET default_bookmark_asked_for = NULL WHERE name = 'app'");
  await forget();
  assert.deepEqual(await s.pull(), [], "main is there");
  assert.deepEqual([await s.shown(), await s.cloned()], ["main", ["main", true]]);

  await s.ok("DELETE", "/acme/app");
  await s.source("update-ref", "-d", "refs/heads/main");
  await s.mirror();
  await forget();
  await s.pull();
  assert.deepEqual([await s.shown(), await s.cloned()], ["master", ["master", true]]);
});

test("an upgrade takes a default branch other than main for asked for, and does not know of main", async (t) => {
  const database = new PGlite();
  t.after(() => database.close());
  const git = gitHttpBackend({ root: "unused" });
  const service = new Service({ database, git, fetch, secretKey: new Uint8Array(32) });
  await service.migrateTo(11);
  await database.exec(`INSERT INTO refsync.organizations (id, slug, name) VALUES ('o', 'acme', 'Acme');
    INSERT INTO refsync.repos (id, org_id, name, default_bookmark) VALUES ('1', 'o', 'a', 'main'), ('2', 'o', 'b', 'trunk')`);
  await service.migrate();
  const { rows } = await database.query(
    "SELECT name, default_bookmark_asked_for AS asked FROM refsync.repos ORDER BY name",
  );
  assert.deepEqual(rows, [
    { name: "a", asked: null },
    { name: "b", asked: true },
  ]);
});
