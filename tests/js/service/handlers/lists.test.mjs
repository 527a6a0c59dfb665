// The cost of lists: the size of their answers, and the number of reads from Git.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { gitHttpBackend } from "refsync/node";

import { onBoth } from "../databases.mjs";
import { eventually, git, start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Json } from "../../../support/json.mjs"
 * @import { StartOptions, Started } from "../support.mjs"
 */

const MOST = 8_000_000;

/**
 * Adds a run with stats to a repository, in the form of an older version or of this one.
 *
 * @param {Started} started
 * @param {string} repoId
 * @param {number} refs Each takes about 1,100 bytes; one is rejected.
 * @param {boolean} isOld
 */
async function synced({ sql }, repoId, refs, isOld) {
  await sql(
    `INSERT INTO refsync.syncs (repo_id, direction, branches, tags, status, started_at, finished_at, stats)
     SELECT $1, 'pull', '*', '*', 'completed', now(), now(), jsonb_build_object('refs', jsonb_agg(jsonb_build_object(
       'name', 'refs/heads/' || repeat('n', 900) || n, 'before', NULL, 'after', repeat('1', 40),
       'outcome', CASE n WHEN 1 THEN 'rejected' ELSE 'updated' END, 'reason', NULL, 'message', NULL)))
     FROM generate_series(1, $2::int) n`,
    [repoId, refs],
  );
  if (isOld) return;
  await sql(
    `UPDATE refsync.syncs SET stats_bytes = octet_length(stats::text), stats_counts = jsonb_build_object(
       'updated', $2::int - 1, 'unchanged', 0, 'filtered', 0, 'rejected', 1) WHERE repo_id = $1 AND stats_bytes IS NULL`,
    [repoId, refs],
  );
}

/**
 * @param {Started} started
 * @param {string} path
 */
async function listed({ service, keys }, path) {
  const headers = { authorization: `Bearer ${keys.read}` };
  const response = await service.fetch(new Request(`http://service.test/v1${path}`, { headers }));
  assert.equal(response.status, 200);
  const text = await response.text();
  const bytes = Buffer.byteLength(text);
  assert.ok(bytes <= MOST, `${path}: ${bytes} bytes`);
  return JSON.parse(text);
}

for (const isOld of [false, true]) {
  onBoth(
    `a list has the stats that fit into 8 MB, and counts for all${isOld ? ", of an older version too" : ""}`,
    async (t, where) => {
      const started = await start(t, where);
      const { ok } = started;
      // Newest first: a small one, one that alone is too large, one that fits, one too many, a small one.
      const sizes = [10, 3_000, 5_000, 9_000, 20];
      for (const [n, refs] of sizes.entries()) {
        const { id } = await ok("POST", "/acme/repos", { name: `r${n}`, upstream: { url: "https://upstream.test/r" } });
        await synced(started, id, refs, isOld);
      }
      const { repos } = await listed(started, "/acme/repos");
      const latest = repos.map((/** @type {Json} */ repo) => repo.upstream.latest_sync);
      assert.deepEqual(
        latest.map((/** @type {Json} */ run) => run.counts),
        sizes.toReversed().map((refs) => ({ updated: refs - 1, unchanged: 0, filtered: 0, rejected: 1 })),
      );
      assert.deepEqual(
        latest.map((/** @type {Json} */ run) => run.stats?.refs.length ?? null),
        [20, null, 5_000, null, 10],
      );
      const single = await ok("GET", "/acme/r3");
      assert.equal(single.upstream.latest_sync.stats.refs.length, 9_000, "a single get has all of them");
      assert.equal((await ok("PATCH", "/acme/r3", { tags: { a: "b" } })).upstream.latest_sync.stats.refs.length, 9_000);

      for (const refs of [4_000, 5_000, 30]) await synced(started, single.id, refs, isOld);
      const { syncs } = await listed(started, "/acme/r3/upstream/syncs");
      assert.deepEqual(
        syncs.map((/** @type {Json} */ run) => [run.stats?.refs.length ?? null, run.counts.updated]),
        [
          [30, 29],
          [5_000, 4_999],
          [null, 3_999],
          [null, 8_999],
        ],
      );
      const run = await ok("GET", `/acme/r3/upstream/syncs/${syncs[3].id}`);
      assert.deepEqual([run.stats.refs.length, run.counts], [9_000, syncs[3].counts]);
    },
  );
}

onBoth("a page ends where 8 MB are full, and the next one goes on there", async (t, where) => {
  const started = await start(t, where);
  const { ok, sql } = started;
  const { id } = await ok("POST", "/acme/repos", { name: "first" });
  // A hundred tags of the greatest length, with characters that JSON writes as six.
  await sql(
    `UPDATE refsync.repos SET tags = (
       SELECT jsonb_object_agg(rpad(n::text, 256, 'k'), repeat(chr(1), 1024)) FROM generate_series(1, 100) n)`,
  );
  await sql(
    `INSERT INTO refsync.repos (org_id, id, name, default_bookmark, tags, head_is_known)
     SELECT org_id, id || n, name || n, default_bookmark, tags, true FROM refsync.repos, generate_series(1, 29) n
     WHERE id = $1`,
    [id],
  );
  const names = [];
  let pages = 0;
  for (let cursor = ""; ; pages += 1) {
    const page = await listed(started, `/acme/repos?limit=100${cursor && `&cursor=${cursor}`}`);
    assert.ok(page.repos.length > 0);
    names.push(...page.repos.map((/** @type {Json} */ repo) => repo.name));
    assert.equal(page.has_more, page.next_cursor !== null);
    if (!page.has_more) break;
    cursor = page.next_cursor;
  }
  assert.equal(new Set(names).size, 30, "each is there once");
  assert.equal(names.length, 30);
  assert.ok(pages >= 2, `${pages + 1} pages`);
});

/**
 * A service that counts its calls of Git.
 *
 * @param {TestContext} t
 * @param {Pick<StartOptions, "postgres">} where
 */
async function counted(t, where) {
  const root = await mkdtemp(join(tmpdir(), "refsync-heads-"));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const backend = gitHttpBackend({ root });
  const asked = { count: 0 };
  const host = {
    ...backend,
    /** @param {Request} request */
    fetch(request) {
      asked.count += 1;
      return backend.fetch(request);
    },
  };
  const started = await start(t, { ...where, service: { git: host } });
  /** The change ids of the list by name, and the number of calls of Git. */
  const heads = async () => {
    const before = asked.count;
    const { repos } = await started.ok("GET", "/acme/repos");
    return {
      heads: Object.fromEntries(repos.map((/** @type {Json} */ repo) => [repo.name, repo.head_change_id])),
      asked: asked.count - before,
    };
  };
  return { ...started, root, heads };
}

onBoth("heads in lists come from the database, and follow pushes, pulls and changes", async (t, where) => {
  const { ok, sql, heads, folder, keys, listen, service, root } = await counted(t, where);
  const source = await ok("POST", "/acme/repos", { name: "source" });
  const empty = source.head_change_id;
  assert.deepEqual(await heads(), { heads: { source: empty }, asked: 0 });

  const origin = await listen();
  const url = `${origin.replace("//", `//git:${keys.admin}@`)}/acme/source.git`;
  await git(folder, "init", "-q", "-b", "main", "work");
  const work = join(folder, "work");
  await git(work, "commit", "-q", "--allow-empty", "-m", "one");
  await git(work, "push", "-q", url, "main");
  const one = await heads();
  assert.equal(one.asked, 0);
  assert.notEqual(one.heads.source, empty, "it is noted before the push has ended");
  assert.equal((await ok("GET", "/acme/source")).head_change_id, one.heads.source);

  await ok("POST", "/acme/repos", { name: "mirror", upstream: { url } });
  await ok("POST", "/acme/mirror/upstream/syncs", { direction: "pull" });
  while (await service.tick());
  assert.deepEqual(await heads(), { heads: { mirror: one.heads.source, source: one.heads.source }, asked: 0 });

  await git(work, "checkout", "-q", "-b", "dev");
  await git(work, "commit", "-q", "--allow-empty", "-m", "two");
  await git(work, "push", "-q", url, "dev");
  assert.equal((await heads()).heads.source, one.heads.source, "HEAD is main");
  const changed = await ok("PATCH", "/acme/source", { default_bookmark: "dev" });
  assert.notEqual(changed.head_change_id, one.heads.source);
  assert.deepEqual((await heads()).heads.source, changed.head_change_id);
  assert.equal((await heads()).asked, 0);

  // A change that the service does not see: the list does not show it, but a `GET` of the repository does.
  await git(join(root, `${source.id}.git`), "update-ref", "refs/heads/dev", "main");
  await git(join(root, `${source.id}.git`), "symbolic-ref", "HEAD", "refs/heads/main");
  assert.equal((await heads()).heads.source, changed.head_change_id);
  assert.equal((await ok("GET", "/acme/source")).head_change_id, one.heads.source);
  assert.equal((await heads()).heads.source, one.heads.source);

  // The state after an update from an older version, or after a push whose process was killed.
  await sql("UPDATE refsync.repos SET head = NULL, head_is_known = false");
  const first = await heads();
  assert.equal(first.heads.source, one.heads.source);
  assert.ok(first.asked > 0);
  assert.deepEqual(await heads(), { ...first, asked: 0 });
});

onBoth(
  "a head is not known while its repository is pushed to, and noted after a push without an effect",
  async (t, where) => {
    const { ok, sql, keys, service } = await counted(t, where);
    await ok("POST", "/acme/repos", { name: "source" });
    const known = () => sql("SELECT head_is_known FROM refsync.repos").then(([row]) => row.head_is_known);
    assert.equal(await known(), true, "a new one is empty");
    /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
    let push;
    const body = new ReadableStream({
      start(controller) {
        push = controller;
      },
    });
    const headers = {
      authorization: `Basic ${Buffer.from(`git:${keys.write}`).toString("base64")}`,
      "content-type": "application/x-git-receive-pack-request",
    };
    const request = new Request("http://service.test/acme/source.git/git-receive-pack", {
      method: "POST",
      body,
      headers,
      duplex: "half",
    });
    const answering = service.fetch(request);
    await eventually(async () => !(await known()));
    // A push without changes.
    push?.enqueue(new TextEncoder().encode("0000"));
    push?.close();
    const answer = await answering;
    assert.equal(answer.status, 200);
    await answer.text();
    assert.equal(await known(), true);
  },
);
