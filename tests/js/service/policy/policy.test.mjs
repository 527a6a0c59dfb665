// The policy of an upstream: what a sync does with refs that cannot move forward. Git's own refs are the judge.
import assert from "node:assert/strict";
import { test } from "node:test";

import { onBoth } from "../databases.mjs";
import { receive } from "../receiver.mjs";
import { fields } from "../support.mjs";
import { mirror } from "./mirror.mjs";

/**
 * @import { Backup, HeldRef } from "refsync"
 * @import { Json } from "../../../support/json.mjs"
 */

const zeros = "0".repeat(40);
const standard = { on_diverged: "reject", prune_max: null, exclude: [], atomic: false, keep_backups: null };

onBoth("by default a rewritten, moved or deleted ref stays as it was", async (t, where) => {
  const s = await mirror(t, where);
  assert.equal(s.app.upstream.policy, undefined);
  const before = await s.local.refs();
  await s.rewrite();
  assert.deepEqual(s.outcomes(await s.sync()), { main: "unchanged", work: "non_fast_forward", v1: "tag_moved" });
  assert.deepEqual(await s.local.refs(), before);
});

onBoth("backup_and_force follows everything and keeps what was there", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "backup_and_force", prune_max: 3 } });
  const { work, tag } = await s.rewrite();
  const run = await s.sync();
  assert.deepEqual(s.outcomes(run), { main: "unchanged", work: "updated", v1: "updated", gone: "updated" });
  const backup = (/** @type {string} */ name) => `refs/refsync/backup/${s.root}/${name}`;
  assert.deepEqual(
    await s.local.refs(),
    new Map([
      ["refs/heads/main", s.root],
      ["refs/heads/work", work],
      [backup("heads/gone"), s.root],
      [backup("heads/work"), s.root],
      [backup("tags/v1"), s.root],
      ["refs/tags/v1", tag],
    ]),
  );
  const { backups } = await s.ok("GET", "/acme/app/upstream/backups");
  assert.deepEqual(
    backups.map((/** @type {Backup} */ { ref, oid, backup }) => [ref, oid, backup]),
    ["heads/gone", "heads/work", "tags/v1"].map((name) => [`refs/${name}`, s.root, backup(name)]),
  );
  for (const { created_at } of backups) assert.ok(Date.now() - Date.parse(created_at) < 60_000, created_at);
});

onBoth("a backup is restored, and the restored ref keeps what was there", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "backup_and_force", prune_max: 3 } });
  const before = await s.local.refs();
  const { work } = await s.rewrite();
  await s.sync();
  const restore = (/** @type {string} */ ref, oid = s.root) =>
    s.call("POST", "/acme/app/upstream/restore", { ref, oid });
  const [status, restored] = await restore("refs/heads/work");
  assert.deepEqual([status, restored], [200, { ref: "refs/heads/work", before: work, after: s.root }]);
  assert.deepEqual((await restore("refs/heads/gone"))[1], { ref: "refs/heads/gone", before: null, after: s.root });
  await restore("refs/tags/v1");
  const after = await s.local.refs();
  for (const [name, id] of before) assert.equal(after.get(name), id, name);
  assert.equal(after.get(`refs/refsync/backup/${work}/heads/work`), work, "a restore loses nothing either");
  assert.deepEqual((await restore("refs/heads/work"))[1].before, s.root, "a second time changes nothing");
  const [missing, body] = await restore("refs/heads/main", work);
  assert.equal(missing, 404, JSON.stringify(body));
});

onBoth("a held move waits for its approval, and only this move is let through", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "hold", prune_max: 3 } });
  const hook = await receive(t);
  await s.ok("POST", "/acme/webhook-targets", { url: hook.url, events: ["upstream.held"] });
  const before = await s.local.refs();
  const { work, tag } = await s.rewrite();
  const everything = { main: "unchanged", work: "held", v1: "held", gone: "held" };
  assert.deepEqual(s.outcomes(await s.sync()), everything);
  assert.deepEqual(await s.local.refs(), before);
  const moves = [
    ["refs/heads/gone", s.root, zeros],
    ["refs/heads/work", s.root, work],
    ["refs/tags/v1", s.root, tag],
  ];
  assert.deepEqual(
    await s.held(),
    moves.map((move) => [...move, "pull", false]),
  );
  const counts = (await s.ok("GET", "/acme/app/upstream/held")).held;
  assert.deepEqual(
    counts.map((/** @type {HeldRef} */ { ahead, behind }) => [ahead, behind]),
    [
      [null, null],
      [1, 1],
      [null, null],
    ],
    "only branches are counted",
  );
  assert.deepEqual(s.outcomes(await s.sync()), everything, "a second run holds the same");
  while (await s.service.deliver()) {}
  assert.deepEqual(
    hook.deliveries.map(({ event }) => event.data),
    [{ direction: "pull", count: 3, refs: moves.map(([name, from, to]) => ({ name, from, to })) }],
    "it is announced once",
  );

  const approve = (/** @type {object[]} */ ...refs) => s.call("POST", "/acme/app/upstream/approve", { refs });
  const right = { name: "refs/heads/work", from: s.root, to: work };
  const refused = await approve(right, { name: "refs/tags/v1", from: s.root, to: work });
  assert.deepEqual([refused[0], fields(refused)], [400, ["refs[1]"]]);
  assert.match(JSON.stringify(refused[1]), new RegExp(`v1 is held from ${s.root} to ${tag}`));
  assert.deepEqual(
    (await s.held()).map((move) => move[4]),
    [false, false, false],
    "all or none",
  );
  const [status, answer] = await approve(right);
  assert.equal(status, 200);
  assert.deepEqual(
    answer.held.map((/** @type {{ approved: boolean }} */ { approved }) => approved),
    [false, true, false],
  );

  assert.deepEqual(s.outcomes(await s.sync()), { ...everything, work: "updated" });
  const after = await s.local.refs();
  assert.deepEqual(
    [after.get("refs/heads/work"), after.get("refs/tags/v1"), after.get("refs/heads/gone")],
    [work, s.root, s.root],
  );
  assert.equal(after.get(`refs/refsync/backup/${s.root}/heads/work`), s.root);
  assert.deepEqual(
    (await s.held()).map(([name]) => name),
    ["refs/heads/gone", "refs/tags/v1"],
  );
});

test("an approval ends when the source moves again", async (t) => {
  const s = await mirror(t, { policy: { on_diverged: "hold" } });
  const { work, tag } = await s.rewrite();
  await s.sync();
  await s.ok("POST", "/acme/app/upstream/approve", { refs: [{ name: "refs/heads/work", from: s.root, to: work }] });
  const again = await s.source.commit("rewritten again");
  await s.source.git("update-ref", "refs/heads/work", again);
  assert.equal(s.outcomes(await s.sync()).work, "held");
  assert.equal((await s.local.refs()).get("refs/heads/work"), s.root);
  assert.deepEqual(await s.held(), [
    ["refs/heads/work", s.root, again, "pull", false],
    ["refs/tags/v1", s.root, tag, "pull", false],
  ]);
});

test("a ref that moves forward again is not held any more", async (t) => {
  const s = await mirror(t, { policy: { on_diverged: "hold" } });
  await s.rewrite();
  await s.sync();
  await s.source.git("update-ref", "refs/heads/work", await s.source.commit("forward", s.root));
  await s.source.git("update-ref", "refs/tags/v1", s.root);
  assert.deepEqual(s.outcomes(await s.sync()), { main: "unchanged", work: "updated", v1: "unchanged" });
  assert.deepEqual(await s.held(), []);
});

test("a run of some refs leaves the other held refs alone", async (t) => {
  const s = await mirror(t, { policy: { on_diverged: "hold" } });
  await s.rewrite();
  await s.sync();
  await s.sync({ ref_globs: { branches: "main" } });
  assert.deepEqual(
    (await s.held()).map(([name]) => name),
    ["refs/heads/work", "refs/tags/v1"],
  );
});

onBoth("the keys of one sync win over the standing policy, and only for that sync", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { exclude: ["refs/tags/*"] } });
  const { work } = await s.rewrite();
  const run = await s.sync({ policy: { on_diverged: "backup_and_force" } });
  assert.deepEqual(s.outcomes(run), { main: "unchanged", work: "updated", v1: "excluded" });
  assert.equal((await s.local.refs()).get("refs/heads/work"), work);
  await s.source.git("update-ref", "refs/heads/work", s.root);
  assert.deepEqual(s.outcomes(await s.sync()), { main: "unchanged", work: "non_fast_forward", v1: "excluded" });
  const [, plan] = await s.call("POST", "/acme/app/upstream/plan", { direction: "pull", policy: { exclude: [] } });
  assert.deepEqual(s.outcomes({ status: "completed", stats: plan }), {
    main: "unchanged",
    work: "non_fast_forward",
    v1: "updated",
  });
});

onBoth("a queued sync takes the policy of the newest request", async (t, where) => {
  const s = await mirror(t, where);
  const { work } = await s.rewrite();
  const ask = (more = {}) => s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull", ...more });
  const first = await ask();
  assert.equal((await ask({ policy: { on_diverged: "backup_and_force" } })).id, first.id);
  assert.equal((await ask()).id, first.id, "a request without a policy keeps it");
  await s.service.tick();
  assert.equal((await s.local.refs()).get("refs/heads/work"), work);
});

test("atomic moves all refs or none, and a deletion past the limit fails the run", async (t) => {
  const s = await mirror(t, { policy: { atomic: true } });
  await s.rewrite();
  await s.source.git("update-ref", "refs/heads/main", await s.source.commit("forward", s.root));
  assert.equal(s.outcomes(await s.sync()).main, "atomic_push_failed");
  await s.setPolicy({ on_diverged: "backup_and_force", prune_max: 0 });
  const run = await s.sync();
  assert.equal(run.status, "failed");
  assert.match(run.error, /delete/);
});

onBoth("old backups are removed if the policy says how long they are kept", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "backup_and_force", keep_backups: "1h" } });
  await s.rewrite();
  await s.sync();
  const count = async () => (await s.ok("GET", "/acme/app/upstream/backups")).backups.length;
  await s.sync();
  assert.equal(await count(), 2, "they are young");
  await s.sql("UPDATE refsync.backups SET created_at = now() - interval '61 minutes' WHERE backup LIKE '%work'");
  await s.sync();
  assert.equal(await count(), 1);
  const names = [...(await s.local.refs()).keys()];
  assert.deepEqual(
    names.filter((name) => name.includes("backup")),
    [`refs/refsync/backup/${s.root}/tags/v1`],
  );
});

onBoth("the backups of a branch and of branches below its name are listed, restored and removed", async (t, where) => {
  const s = await mirror(t, {
    ...where,
    policy: { on_diverged: "backup_and_force", prune_max: 9, keep_backups: "1h" },
  });
  const deep = "refs/heads/older/on/it";
  // Three branches at one commit, one after another.
  for (const name of ["refs/heads/topic", "refs/heads/topic/a", "refs/heads/topic/a/b"]) {
    await s.local.git("update-ref", name, s.root);
    const run = await s.sync();
    assert.equal(run.stats.refs.find((/** @type {Json} */ ref) => ref.name === name).outcome, "updated", name);
  }
  // An older version kept a branch like this.
  await s.local.git("update-ref", `refs/refsync/backup/${s.root}/heads/older/on/it`, s.root);
  const list = async () => {
    const { backups } = await s.ok("GET", "/acme/app/upstream/backups");
    return new Map(backups.map((/** @type {Backup} */ { ref, backup }) => [ref, backup]));
  };
  const kept = `refs/refsync/backup/${s.root}`;
  const expected = new Map([
    ["refs/heads/topic", `${kept}/heads/topic`],
    ["refs/heads/topic/a", `${kept}/2/heads/topic/a`],
    ["refs/heads/topic/a/b", `${kept}/3/heads/topic/a/b`],
    [deep, `${kept}/heads/older/on/it`],
  ]);
  assert.deepEqual(new Map([...(await list())].sort()), new Map([...expected].sort()));
  for (const ref of ["refs/heads/topic/a/b", deep]) {
    await s.ok("POST", "/acme/app/upstream/restore", { ref, oid: s.root });
    assert.equal((await s.local.refs()).get(ref), s.root);
  }
  await s.sql("UPDATE refsync.backups SET created_at = now() - interval '61 minutes' WHERE backup LIKE '%topic/a'");
  await s.sync();
  assert.ok(!(await list()).has("refs/heads/topic/a"), "only old backups are removed");
  assert.ok((await list()).has("refs/heads/topic"));
});

test("a restore counts as the making of the backup that keeps what it replaces", async (t) => {
  const s = await mirror(t, { policy: { on_diverged: "backup_and_force", keep_backups: "1h" } });
  const { work } = await s.rewrite();
  await s.sync();
  const restore = (/** @type {string} */ oid) =>
    s.ok("POST", "/acme/app/upstream/restore", { ref: "refs/heads/work", oid });
  await restore(s.root);
  // Both backups of the branch are old, and each of its two commits has one.
  await s.sql("UPDATE refsync.backups SET created_at = now() - interval '2 hours'");
  await restore(work);
  await s.sync();
  assert.equal((await s.local.refs()).get("refs/heads/work"), work);
  assert.equal((await s.local.refs()).get(`refs/refsync/backup/${s.root}/heads/work`), s.root, "it is young again");
});

onBoth("the backups of pushes are at the upstream, and are listed, restored and removed there", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "backup_and_force", keep_backups: "1h" } });
  const ours = await s.local.commit("ours");
  await s.local.git("update-ref", "refs/heads/work", ours);
  const run = await s.sync({ direction: "push" });
  assert.equal(run.stats.refs.find((/** @type {Json} */ { name }) => name === "refs/heads/work").after, ours);
  const backup = `refs/refsync/backup/${s.root}/heads/work`;
  const list = async (query = "") => (await s.ok("GET", `/acme/app/upstream/backups${query}`)).backups;
  assert.deepEqual(await list(), [], "the repository has none");
  const [kept, ...others] = await list("?direction=push");
  assert.deepEqual(others, []);
  assert.deepEqual([kept.ref, kept.oid, kept.backup], ["refs/heads/work", s.root, backup]);
  assert.ok(Date.parse(kept.created_at) > Date.now() - 60_000, kept.created_at);

  const request = { ref: "refs/heads/work", oid: s.root };
  assert.equal((await s.call("POST", "/acme/app/upstream/restore", request))[0], 404, "a pull made no backup");
  const restored = await s.ok("POST", "/acme/app/upstream/restore", { ...request, direction: "push" });
  assert.deepEqual(restored, { ref: "refs/heads/work", before: ours, after: s.root });
  assert.equal((await s.source.refs()).get("refs/heads/work"), s.root);
  assert.equal((await s.local.refs()).get("refs/heads/work"), ours, "the repository does not change");

  await s.sql("UPDATE refsync.backups SET created_at = now() - interval '61 minutes'");
  await s.sync();
  assert.equal((await list("?direction=push")).length, 2, "a pull removes no backups of pushes");
  await s.sync({ direction: "push", ref_globs: { branches: "main" } });
  assert.deepEqual(await list("?direction=push"), []);
  for (const direction of ["both", ""]) {
    const answer = await s.call("GET", `/acme/app/upstream/backups?direction=${direction}`);
    assert.deepEqual([answer[0], fields(answer)], [400, ["direction"]], direction);
  }
});

onBoth("the policy is shown, replaced, kept and reset", async (t, where) => {
  const s = await mirror(t, { ...where, policy: { on_diverged: "hold", keep_backups: "90d" } });
  assert.deepEqual(s.app.upstream.policy, { ...standard, on_diverged: "hold", keep_backups: "90d" });
  const { url } = s.app.upstream;
  assert.equal((await s.ok("PATCH", "/acme/app", { upstream: { url } })).upstream.policy.on_diverged, "hold");
  const replaced = await s.setPolicy({ prune_max: 7, exclude: ["refs/heads/wip/*"] });
  assert.deepEqual(replaced.upstream.policy, { ...standard, prune_max: 7, exclude: ["refs/heads/wip/*"] });
  assert.equal((await s.setPolicy(null)).upstream.policy, undefined);
  assert.deepEqual((await s.setPolicy({})).upstream.policy, standard);
});

test("bad policies, approvals and restores name the field", async (t) => {
  const s = await mirror(t);
  const { url } = s.app.upstream;
  /** @type {[unknown, string][]} */
  const policies = [
    [{ on_diverged: "force" }, "on_diverged"],
    [{ on_diverged: null, prune_max: -1 }, "prune_max"],
    [{ prune_max: 1.5 }, "prune_max"],
    [{ exclude: "refs/heads/*" }, "exclude"],
    [{ exclude: ["wip/*"] }, "exclude[0]"],
    [{ exclude: ["refs/heads/[z-a]"] }, "exclude[0]"],
    [{ exclude: Array(101).fill("refs/heads/x") }, "exclude"],
    [{ atomic: "yes" }, "atomic"],
    [{ keep_backups: "90" }, "keep_backups"],
    [{ keep_backups: "4000d" }, "keep_backups"],
    [{ on_diverge: "hold" }, "on_diverge"],
    [{ prune: 3 }, "prune"],
  ];
  for (const [policy, field] of policies) {
    const standing = await s.call("PATCH", "/acme/app", { upstream: { url, policy } });
    assert.deepEqual([standing[0], fields(standing)], [400, [`upstream.policy.${field}`]], JSON.stringify(policy));
    const once = await s.call("POST", "/acme/app/upstream/syncs", { direction: "pull", policy });
    assert.deepEqual([once[0], fields(once)], [400, [`policy.${field}`]], JSON.stringify(policy));
  }
  const kept = await s.call("POST", "/acme/app/upstream/syncs", { direction: "pull", policy: { keep_backups: "9d" } });
  assert.deepEqual([kept[0], fields(kept)], [400, ["policy.keep_backups"]]);
  /** @type {[string, unknown, string][]} */
  const calls = [
    ["approve", { refs: [] }, "refs"],
    ["approve", {}, "refs"],
    ["approve", { refs: [{ name: "refs/heads/main", from: s.root, to: s.root }] }, "refs[0]"],
    ["approve", { refs: [{ name: "refs/heads/main", from: s.root }] }, "refs[0].to"],
    ["restore", { ref: "main", oid: s.root }, "ref"],
    ["restore", { ref: "refs/refsync/backup/x", oid: s.root }, "ref"],
    ["restore", { ref: "refs/heads/main", oid: "main" }, "oid"],
    ["restore", { ref: "refs/heads/main" }, "oid"],
    ["restore", { ref: "refs/heads/main", oid: s.root, direction: "both" }, "direction"],
  ];
  for (const [path, body, field] of calls) {
    const answer = await s.call("POST", `/acme/app/upstream/${path}`, body);
    assert.deepEqual([answer[0], fields(answer)], [400, [field]], `${path} ${JSON.stringify(body)}`);
  }
  for (const path of ["approve", "restore"]) {
    const body = { refs: [{ name: "a", from: "b", to: "c" }], ref: "refs/heads/main", oid: s.root };
    assert.equal((await s.call("POST", `/acme/app/upstream/${path}`, body, { key: s.keys.read }))[0], 403);
  }
  for (const path of ["held", "backups"]) {
    assert.equal((await s.call("GET", `/acme/app/upstream/${path}`, undefined, { key: s.keys.read }))[0], 200);
  }
});
