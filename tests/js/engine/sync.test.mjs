/** The engine, as a user of `refsync/engine` calls it, between two real Git repositories. */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { AbortError, InvalidRequestError, plan, SyncError, sync } from "../../../pkg/dist/engine.js";
import { grow } from "../../support/git/history.mjs";
import { present } from "../../support/present.mjs";
import { host } from "./support.mjs";

/**
 * @import { SyncRunStats } from "refsync"
 * @import { EngineFetch, SyncOptions } from "refsync/engine"
 */

const hosted = await host("upstream", "mirror", "collected", "cut", "aborted");
after(() => hosted.remove());
await grow(hosted.folder("upstream"), 1200);

const source = hosted.url("upstream");
/**
 * @param {string} destination
 * @param {Partial<SyncOptions>} [options]
 */
const pull = (destination, options = {}) =>
  sync({ source, destination: hosted.url(destination), fetch: hosted.fetch, ...options });
/** @param {SyncRunStats} stats */
const outcomes = (stats) => new Set(stats.refs.map((r) => r.outcome));

test("a plan tells what a sync would do, and changes nothing", async () => {
  hosted.asked.length = 0;
  const planned = await plan({ source, destination: hosted.url("mirror"), fetch: hosted.fetch });
  assert.deepEqual([...outcomes(planned)], ["updated"]);
  assert.equal(planned.refs.length, (await hosted.refs("upstream")).split("\n").length);
  assert.equal(await hosted.refs("mirror"), "");
  assert.equal(hosted.asked.length, 2, `${hosted.asked}`);
});

test("a first pull of 1,200 commits and both kinds of tags makes both sides equal and sound", async () => {
  /** @type {import("refsync/engine").Progress[]} */
  const seen = [];
  const stats = await pull("mirror", { onProgress: (progress) => seen.push(progress) });
  assert.equal(await hosted.refs("mirror"), await hosted.refs("upstream"));
  assert.equal(stats.refs.length, (await hosted.refs("upstream")).split("\n").length);
  assert.deepEqual([...outcomes(stats)], ["updated"]);
  await hosted.git("mirror", "fsck", "--strict");
  assert.deepEqual([...new Set(seen.map((p) => p.phase))], ["listing", "transferring", "storing"]);
  const last = present(seen.at(-1));
  assert.ok(last.bytes > 10_000 && present(last.objects) > 2_000, "the last report has the whole pack");
});

test("a second pull is all unchanged and sends no pack", async () => {
  hosted.asked.length = 0;
  const stats = await pull("mirror");
  assert.deepEqual([...outcomes(stats)], ["unchanged"]);
  assert.deepEqual(hosted.asked.toSorted(), ["GET mirror.git/info/refs", "POST upstream.git/git-upload-pack"]);
});

test("new commits arrive as a fast-forward, a diverged branch is rejected with the id it keeps", async () => {
  const tree = await hosted.git("upstream", "rev-parse", "main^{tree}");
  /**
   * @param {string} name
   * @param {string} branch
   * @param {string} message
   */
  const commitOn = async (name, branch, message) => {
    const id = await hosted.git(name, "commit-tree", tree, "-p", branch, "-m", message);
    await hosted.git(name, "update-ref", `refs/heads/${branch}`, id);
    return id;
  };
  const before = await hosted.git("mirror", "rev-parse", "main");
  const after = await commitOn("upstream", "main", "news");
  const ours = await commitOn("mirror", "release/1", "ours");
  await commitOn("upstream", "release/1", "theirs");
  const stats = await pull("mirror");
  /** @param {string} name */
  const find = (name) => stats.refs.find((r) => r.name === `refs/heads/${name}`);
  assert.deepEqual(find("main"), {
    name: "refs/heads/main",
    before,
    after,
    outcome: "updated",
    reason: null,
    message: null,
  });
  const { outcome, reason, after: kept } = present(find("release/1"));
  assert.deepEqual({ outcome, reason, kept }, { outcome: "rejected", reason: "non_fast_forward", kept: ours });
  assert.equal(await hosted.git("mirror", "rev-parse", "release/1"), ours);
});

test("one fast-forward takes four requests: the pack proves it while it flows", async () => {
  const tree = await hosted.git("upstream", "rev-parse", "main^{tree}");
  const id = await hosted.git("upstream", "commit-tree", tree, "-p", "main", "-m", "more news");
  await hosted.git("upstream", "update-ref", "refs/heads/main", id);
  hosted.asked.length = 0;
  const stats = await pull("mirror", { ref_globs: { branches: "main" } });
  assert.deepEqual(
    stats.refs.map((r) => [r.outcome, r.after]),
    [["updated", id]],
  );
  assert.equal(hosted.asked.length, 4, `${hosted.asked}`);
});

test("a diverged branch is forced only when asked, and what was there is kept", async () => {
  const ours = await hosted.git("mirror", "rev-parse", "release/1");
  const theirs = await hosted.git("upstream", "rev-parse", "release/1");
  const ref_globs = { branches: "release/1" };
  assert.deepEqual([...outcomes(await pull("mirror", { ref_globs }))], ["rejected"]);
  assert.deepEqual([...outcomes(await pull("mirror", { ref_globs, force: true }))], ["updated"]);
  assert.equal(await hosted.git("mirror", "rev-parse", "release/1"), theirs);
  assert.equal(await hosted.git("mirror", "rev-parse", `refs/refsync/backup/${ours}/2/heads/release/1`), ours);
});

test("of several globs a ref has to match one, and an empty list matches none", async () => {
  /** @param {SyncOptions["ref_globs"]} ref_globs */
  const named = async (ref_globs) =>
    (await plan({ source, destination: hosted.url("mirror"), fetch: hosted.fetch, ref_globs })).refs;
  /** @param {SyncOptions["ref_globs"]} ref_globs */
  const names = async (ref_globs) => (await named(ref_globs)).map(({ name }) => name);
  assert.deepEqual(await names({ branches: ["main", "release/1?"] }), [
    "refs/heads/main",
    "refs/heads/release/10",
    "refs/heads/release/11",
    "refs/heads/release/12",
  ]);
  assert.deepEqual(await names({ branches: ["mian"], tags: [] }), [], "what matches nothing is no error");
  const tags = (await hosted.refs("upstream", "refs/tags")).split("\n").map((line) => line.split(" ")[0]);
  assert.deepEqual(await names({ branches: [], tags: ["*"] }), tags);
});

test("where a runtime cannot stream requests the pack is collected, up to a limit", async () => {
  const error = await pull("collected", { requestStreams: false, collectLimit: 10_000 }).catch((e) => e);
  assert.ok(error instanceof SyncError, `${error}`);
  assert.equal(error.code, "too_large");
  assert.match(error.message, /10000 bytes.*collect_limit|collectLimit/);
  assert.equal(await hosted.refs("collected"), "", "nothing is half-written");
  await pull("collected", { requestStreams: false });
  assert.equal(await hosted.refs("collected", "refs/tags"), await hosted.refs("upstream", "refs/tags"));
});

test("a source that dies in the middle of its pack leaves the destination as it was", async () => {
  /** @type {EngineFetch} */
  const cutting = async (url, init) => {
    const response = await hosted.fetch(url, init);
    const asked = init?.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
    if (!asked.includes("command=fetch")) return response;
    let left = 100_000;
    /** @type {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>} */
    const cut = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.error(new Error("the line went dead"));
      },
    });
    return new Response(response.body?.pipeThrough(cut), response);
  };
  const error = await pull("cut", { source: { url: source, fetch: cutting } }).catch((e) => e);
  assert.ok(error instanceof SyncError, `${error}`);
  assert.match(error.message, /^source: fetch from .*upstream\.git: .*the line went dead/);
  assert.equal(error.retryable, true);
  assert.equal(await hosted.refs("cut"), "");
  assert.deepEqual(await hosted.leftovers("cut"), [], "the destination has cleared up");
});

test("an aborted sync rejects with an AbortError and changes nothing", async () => {
  const controller = new AbortController();
  /** @param {import("refsync/engine").Progress} progress */
  const onProgress = ({ phase }) => {
    if (phase === "transferring") controller.abort(new Error("enough"));
  };
  const error = await pull("aborted", { signal: controller.signal, onProgress }).catch((e) => e);
  assert.ok(error instanceof AbortError, `${error}`);
  assert.ok(error.cause instanceof Error);
  assert.equal(error.cause.message, "enough");
  assert.equal(await hosted.refs("aborted"), "");
});

test("bad arguments are refused before anything is sent, by name", async () => {
  hosted.asked.length = 0;
  /** @type {[options: object, field: string][]} */
  const table = [
    [{ destination: source }, "source.url"],
    [{ source: "git@github.com:a/b.git", destination: source }, "source.url"],
    [{ source: "ftp://host/a.git", destination: source }, "source.url"],
    [{ source, destination: "not a url" }, "destination.url"],
    [{ source, destination: source, ref_globs: {} }, "ref_globs"],
    [{ source, destination: source, ref_globs: { branches: "[" } }, "ref_globs.branches"],
    [{ source, destination: source, ref_globs: { tags: ["v*", "["] } }, "ref_globs.tags[1]"],
    [{ source, destination: source, ref_globs: { tags: 5 } }, "ref_globs.tags"],
    [{ source, destination: source, exclude: ["refs/heads/x", "wip/*"] }, "exclude[1]"],
    [{ source, destination: source, refGlobs: { branches: "main" } }, "refGlobs"],
  ];
  for (const [options, field] of table) {
    /** @type {any} */
    const wrong = { fetch: hosted.fetch, ...options };
    const error = await sync(wrong).catch((e) => e);
    assert.ok(error instanceof InvalidRequestError, `${field}: ${error}`);
    assert.deepEqual(
      error.fields.map((f) => f.field),
      [field],
      error.message,
    );
  }
  assert.deepEqual(hosted.asked, []);
});

test("an upstream that is no Git server, or refuses the connection, is named in the error", async () => {
  /** @type {[fetch: EngineFetch, code: string][]} */
  const table = [
    [async () => new Response("<html>", { headers: { "content-type": "text/html" } }), "not_a_git_server"],
    [async () => new Response("", { status: 401 }), "unauthorized"],
    [() => Promise.reject(new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") })), "unreachable"],
  ];
  for (const [fetch, code] of table) {
    const from = { url: "http://user:secret@upstream.test/r.git", fetch };
    const error = await sync({ source: from, destination: hosted.url("mirror"), fetch: hosted.fetch }).catch((e) => e);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^source: list the refs of http:\/\/upstream\.test\/r\.git: /);
    assert.ok(!error.message.includes("secret"));
  }
});
