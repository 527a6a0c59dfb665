// A push into a hosted repository: the event `push` with the payload of the public API, and `on_push`. Git itself pushes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { onBoth } from "../databases.mjs";
import { mirror } from "../policy/mirror.mjs";
import { deliverAll, receive } from "../receiver.mjs";
import { git, start } from "../support.mjs";

/** @import { PushUpdate } from "refsync/webhooks" */

/**
 * A hosted repository `app`, a work tree that pushes to it, and a receiver of the event `push`.
 *
 * @param {import("node:test").TestContext} t
 * @param {Parameters<typeof start>[1]} where
 */
async function pushed(t, where) {
  const s = await start(t, where);
  const address = await s.listen();
  const app = await s.ok("POST", "/acme/repos", { name: "app" });
  const hook = await receive(t);
  // Without `events`, a target gets the pushes.
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const work = join(s.folder, "work");
  const url = `${address.replace("//", `//git:${s.keys.write}@`)}/acme/app.git`;
  return {
    ...s,
    app,
    url,
    /** @param {string[]} args */
    git: (...args) => git(work, ...args),
    commit: async (message = "one") => {
      await git(work, "commit", "-q", "--allow-empty", "-m", message);
      return git(work, "rev-parse", "HEAD");
    },
    /** The updates of the events since the last call, without the numbers about Jujutsu. */
    events: async () => {
      hook.deliveries.length = 0;
      await deliverAll(s.service);
      return hook.deliveries.map(({ event }) => {
        assert.deepEqual([event.type, event.repository.id, event.repository.name], ["push", app.id, "app"]);
        assert.deepEqual(event.data.reconciliation, {
          reconciled_commit_count: 0,
          touched_change_count: 0,
          changes_created_count: 0,
          evolog_inserted_count: 0,
          invalid_change_id_header_count: 0,
          dirty_change_skip_count: 0,
        });
        /** @type {PushUpdate[]} */
        const updates = event.data.updates;
        return updates;
      });
    },
  };
}

onBoth("a push is announced with the refs that Git has moved", async (t, where) => {
  const s = await pushed(t, where);
  const first = await s.commit();
  await s.git("tag", "-a", "-m", "one", "v1");
  const tag = await s.git("rev-parse", "v1");
  await s.git("push", "-q", s.url, "main", "main:feature/a", "v1");
  const update = (
    /** @type {string} */ ref,
    /** @type {string | null} */ before,
    /** @type {string | null} */ after,
  ) => ({
    ref,
    bookmark: ref.replace(/^refs\/(heads|tags)\//, ""),
    before,
    after,
    action: before === null ? "created" : after === null ? "deleted" : "updated",
  });
  const [updates] = await s.events();
  assert.deepEqual(
    updates?.toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
    [
      update("refs/heads/feature/a", null, first),
      update("refs/heads/main", null, first),
      update("refs/tags/v1", null, tag),
    ],
  );
  const second = await s.commit("two");
  await s.git("push", "-q", s.url, "main", ":feature/a");
  assert.deepEqual(
    (await s.events())[0]?.toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
    [update("refs/heads/feature/a", first, null), update("refs/heads/main", first, second)],
  );
  await s.git("push", "-q", s.url, "main");
  assert.deepEqual(await s.events(), [], "nothing has moved");
});

onBoth("a ref that was refused, and a ref that is no branch and no tag, is not announced", async (t, where) => {
  const s = await pushed(t, where);
  await s.commit();
  await s.git("push", "-q", s.url, "main");
  await s.events();
  const next = await s.commit("two");
  // Git refuses a branch below another one. It does the rest of the push.
  await assert.rejects(
    s.git("push", "-q", s.url, "main", "main:refs/heads/main/below", "main:refs/notes/commits"),
    /main\/below/,
  );
  const [updates, ...others] = await s.events();
  assert.deepEqual(
    updates?.map(({ ref, after }) => [ref, after]),
    [["refs/heads/main", next]],
  );
  assert.deepEqual(others, []);
});

test("a push of many refs is several events of at most a thousand refs", async (t) => {
  const s = await pushed(t, {});
  const id = await s.commit();
  const names = Array.from({ length: 1500 }, (_, n) => `refs/heads/b${n}`);
  const packed = names.map((name) => `create ${name} ${id}\n`).join("");
  const { execFileSync } = await import("node:child_process");
  execFileSync("git", ["update-ref", "--stdin"], { cwd: join(s.folder, "work"), input: packed });
  await s.git("push", "-q", "--all", s.url);
  const events = await s.events();
  assert.deepEqual(
    events.map((updates) => updates.length),
    [1000, 501],
  );
  assert.deepEqual(new Set(events.flat().map(({ ref }) => ref)), new Set([...names, "refs/heads/main"]));
});

/** @param {Awaited<ReturnType<typeof mirror>>} s */
async function openRuns(s) {
  const rows = await s.sql("SELECT direction, branches, tags FROM refsync.syncs WHERE status = 'queued' ORDER BY seq");
  return rows.map(({ direction }) => direction);
}

/** @param {Awaited<ReturnType<typeof mirror>>} s */
async function workAll(s) {
  for (let n = 0; n < 20; n += 1) {
    await s.sql("UPDATE refsync.syncs SET run_after = now() WHERE status = 'queued'");
    if (!(await s.service.tick())) return n;
  }
  throw new Error("the runs do not end");
}

onBoth("with on_push, a push goes on to the upstream, and the two sides come to rest", async (t, where) => {
  const s = await mirror(t, where);
  const { url } = s.app.upstream;
  assert.equal((await s.ok("PATCH", "/acme/app", { upstream: { url, on_push: true } })).upstream.on_push, true);
  const hook = await s.ok("POST", "/acme/app/upstream/hook");
  const address = await s.listen();
  const tree = join(s.folder, "tree");
  const remote = `${address.replace("//", `//git:${s.keys.write}@`)}/acme/app.git`;
  await git(s.folder, "clone", "-q", remote, "tree");
  await git(tree, "commit", "-q", "--allow-empty", "-m", "local");
  await git(tree, "push", "-q", "origin", "main");
  assert.deepEqual(await openRuns(s), ["push"]);
  await git(tree, "commit", "-q", "--allow-empty", "-m", "local 2");
  await git(tree, "push", "-q", "origin", "main", "main:refs/heads/new");
  assert.deepEqual(await openRuns(s), ["push"], "the second push joins the run");
  assert.equal(await workAll(s), 1);
  const tip = await git(tree, "rev-parse", "main");
  assert.deepEqual(
    [(await s.source.refs()).get("refs/heads/main"), (await s.source.refs()).get("refs/heads/new")],
    [tip, tip],
  );

  // The upstream's host calls the hook, because the push has moved its refs. The pull finds nothing new.
  const body = JSON.stringify({ ref: "refs/heads/main" });
  const headers = { "x-gitlab-event": "Push Hook", "x-gitlab-token": hook.secret };
  const called = await s.service.fetch(
    new Request(`http://service.test${hook.url}`, { method: "POST", headers, body }),
  );
  assert.equal(called.status, 200);
  assert.deepEqual(await openRuns(s), ["pull"]);
  assert.equal(await workAll(s), 1, "the pull moves nothing, so it queues nothing");

  // A pull that moves a ref queues one push. That push moves nothing.
  const next = await s.source.commit("next", tip);
  await s.source.git("update-ref", "refs/heads/main", next);
  const run = await s.sync();
  assert.equal(s.outcomes(run).main, "updated");
  assert.deepEqual(await openRuns(s), ["push"]);
  assert.equal(await workAll(s), 1, "and then all is quiet");

  await git(tree, "pull", "-q", "--ff-only");
  await git(tree, "push", "-q", "origin", "main");
  assert.deepEqual(await openRuns(s), [], "a push that moves nothing queues nothing");
  const off = await s.ok("PATCH", "/acme/app", { upstream: { url, on_push: false } });
  assert.equal(off.upstream.on_push, undefined);
  await git(tree, "commit", "-q", "--allow-empty", "-m", "local 3");
  await git(tree, "push", "-q", "origin", "main");
  assert.deepEqual(await openRuns(s), []);
});

onBoth("on_push stays when it is left out, and belongs to the upstream", async (t, where) => {
  const s = await start(t, where);
  const url = "https://github.com/acme/app.git";
  const made = await s.ok("POST", "/acme/repos", { name: "app", upstream: { url, on_push: true } });
  assert.equal(made.upstream.on_push, true);
  assert.equal((await s.ok("PATCH", "/acme/app", { upstream: { url: `${url}x` } })).upstream.on_push, true);
  assert.equal((await s.ok("PATCH", "/acme/app", { tags: { a: "b" } })).upstream.on_push, true);
  await s.ok("PATCH", "/acme/app", { upstream: null });
  assert.equal((await s.ok("PATCH", "/acme/app", { upstream: { url } })).upstream.on_push, undefined);
  const [status, { error }] = await s.call("PATCH", "/acme/app", { upstream: { url, on_push: "yes" } });
  assert.deepEqual([status, error.details.fields[0].field], [400, "upstream.on_push"]);
});
