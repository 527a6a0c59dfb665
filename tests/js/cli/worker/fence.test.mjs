// Workers that alone lose their connection to the database: each stops its run before another worker may take it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

import pg from "pg";

import { git as serverGit, serveUpstreams } from "../../../soak/upstreams.mjs";
import { eventually } from "../../../support/eventually.mjs";
import { line } from "../../../support/network/line.mjs";
import { present } from "../../../support/present.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { folder, git, serveWith, terminal, worker, workTree } from "../support.mjs";

/** The milliseconds of a lease. A worker must not need the last ones. */
const lease = 30_000;

test("a worker that cannot renew its lease stops pushing before the lease ends and another worker pushes", async (t) => {
  const database = await postgres();
  const client = new pg.Client(database.url);
  await client.connect();
  t.after(async () => {
    await client.end();
    await database.stop();
  });

  // A Git server that delays the pushes of the first workers, and knows which worker asks.
  const upstreams = folder(t);
  /** @type {Set<number>} */
  const pids = new Set();
  /** @type {Set<number | null>} */
  const lost = new Set();
  /** @param {Pick<import("../../../soak/upstreams.mjs").Entry, "call">} entry */
  const isPush = ({ call }) => call === "git-receive-pack";
  const remote = await serveUpstreams(
    upstreams,
    () => pids,
    async (entry, response) => {
      if (isPush(entry) && lost.has(entry.asker)) await once(response, "close");
    },
  );
  t.after(() => remote.close());

  const data = join(folder(t), "data");
  const env = { REFSYNC_DATABASE_URL: database.url };
  const s = await serveWith(t, env, data, "--no-worker", "--allow-private-network");
  const tree = await workTree(t);
  const names = ["silent", "cut"];
  /** @type {Record<string, string>} */
  const runs = {};
  for (const name of names) {
    await serverGit(upstreams, ["init", "--quiet", "--bare", "--initial-branch=main", `${name}.git`]);
    await s.api("POST", "/repos", { name, upstream: { url: remote.url(name) } });
    await git(tree, "push", "--quiet", s.remote(name), "main");
    runs[name] = (await s.api("POST", `/${name}/upstream/syncs`, { direction: "push" })).body.id;
  }
  const flags = ["--data", data, "--allow-private-network"];
  const firsts = await Promise.all(
    names.map(async () => {
      const way = await line(Number(new URL(database.url).port));
      t.after(() => way.close());
      const through = { REFSYNC_DATABASE_URL: database.url.replace(/:\d+\//, `:${way.port}/`) };
      const started = await worker(t, through, ...flags, "--concurrency", "1");
      pids.add(present(started.pid));
      lost.add(present(started.pid));
      return { ...started, way };
    }),
  );
  await eventually(() => remote.log.filter(isPush).length === 2, { what: "both push", within: lease });
  const [silent, cut] = firsts;
  present(silent).way.silence();
  present(cut).way.cut();

  const second = await worker(t, env, ...flags);
  const other = present(second.pid);
  pids.add(other);
  /** @param {(number | null)[]} askers */
  const entriesOf = (...askers) => remote.log.filter(({ asker }) => askers.includes(asker));
  const pushes = () => entriesOf(...lost).filter(isPush);
  await eventually(() => pushes().every(({ ended }) => ended !== null), {
    what: "both give their pushes up",
    within: lease,
  });
  const { rows } = await client.query(
    "SELECT lease_expires_at AS at FROM refsync.syncs WHERE status = 'in_progress' AND attempt = 1",
  );
  assert.equal(rows.length, 2, "both leases are still theirs");
  const early = rows.map(({ at }) => at.getTime() - Math.max(...pushes().map(({ ended }) => present(ended))));
  assert.ok(Math.min(...early) > 2_000, `they stop ${early} ms before their leases end`);
  assert.deepEqual(entriesOf(other), [], "the second worker has not begun");
  // The test does not wait for the rest of the leases.
  await client.query("UPDATE refsync.syncs SET lease_expires_at = now() WHERE status = 'in_progress'");

  for (const name of names) {
    const run = await terminal(s, present(runs[name]), name);
    assert.deepEqual([run.status, run.attempt], ["completed", 2], run.error ?? "");
    const tip = await serverGit(join(upstreams, `${name}.git`), ["rev-parse", "main"]);
    assert.equal(tip, await git(tree, "rev-parse", "main"));
  }
  const began = Math.min(...entriesOf(other).map((entry) => entry.began));
  for (const entry of entriesOf(...lost)) {
    assert.ok(
      entry.ended !== null && entry.ended <= began,
      `${entry.call} of a first worker after ${began}: ${entry.ended}`,
    );
  }
  for (const { log } of firsts) assert.match(log(), /was stopped: the database did not hear of it for too long/);
});
