import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { gitHttpBackend, serve } from "refsync/node";

import { eventually } from "../../support/eventually.mjs";
import { folder } from "../../support/folder.mjs";
import { gitNow as git } from "../../support/git/git.mjs";
import { present } from "../../support/present.mjs";

/** @import { TestContext } from "node:test" */

/**
 * A host with one repository `r1`, served at `<url>/o/r1.git`.
 *
 * @param {TestContext} t
 */
async function hosted(t) {
  const root = join(folder(t), "repositories");
  const host = gitHttpBackend({ root });
  await host.create("r1", "main");
  const service = {
    /** @param {Request} request */
    fetch(request) {
      const url = new URL(request.url);
      url.pathname = url.pathname.replace(/^\/o/, "");
      return host.fetch(new Request(url, request));
    },
  };
  const listener = await serve({ service });
  t.after(() => listener.close(0));
  return { root, host, listener, url: `${listener.url}/o/r1.git` };
}

/**
 * A work tree with one commit, and a file of this many megabytes that do not compress.
 *
 * @param {TestContext} t
 * @param {number} [megabytes]
 */
async function workTree(t, megabytes = 0) {
  const path = folder(t);
  await git(path, "init", "--quiet", "--initial-branch=main");
  writeFileSync(join(path, "a"), "one\n");
  if (megabytes > 0) writeFileSync(join(path, "large"), randomBytes(megabytes * 1024 * 1024));
  await git(path, "add", ".");
  await git(path, "commit", "--quiet", "-m", "one");
  return path;
}

test("git pushes, fetches and clones over HTTP", async (t) => {
  const { root, url } = await hosted(t);
  const tree = await workTree(t);
  await git(tree, "tag", "-a", "v1", "-m", "v1");
  await git(tree, "push", "--quiet", url, "main", "v1");
  const clone = join(folder(t), "clone");
  await git(tree, "clone", "--quiet", url, clone);
  assert.equal(await git(clone, "for-each-ref", "refs/tags"), await git(tree, "for-each-ref", "refs/tags"));
  assert.equal(await git(clone, "rev-parse", "HEAD"), await git(tree, "rev-parse", "HEAD"));
  await git(join(root, "r1.git"), "fsck", "--strict");
  // A fetch gets the commits that were pushed later.
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "two");
  await git(tree, "push", "--quiet", url, "main");
  await git(clone, "pull", "--quiet");
  assert.equal(await git(clone, "rev-parse", "HEAD"), await git(tree, "rev-parse", "HEAD"));
});

test("a push larger than git's post buffer arrives in chunks, and a large clone streams back", async (t) => {
  const { root, url } = await hosted(t);
  const tree = await workTree(t, 20);
  await git(tree, "push", "--quiet", url, "main");
  const clone = join(folder(t), "clone");
  await git(tree, "clone", "--quiet", url, clone);
  assert.equal(await git(clone, "rev-parse", "HEAD^{tree}"), await git(tree, "rev-parse", "HEAD^{tree}"));
  assert.equal(await git(join(root, "r1.git"), "fsck"), "");
});

test("objects are served by id and by filter, as the engine asks for them", async (t) => {
  const { url } = await hosted(t);
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", url, "main");
  const old = await git(tree, "rev-parse", "HEAD");
  await git(tree, "commit", "--quiet", "--amend", "-m", "other");
  await git(tree, "push", "--quiet", "--force", url, "main");
  const other = folder(t);
  await git(other, "init", "--quiet", "--bare");
  await git(other, "fetch", "--quiet", "--filter=tree:0", url, old);
  assert.equal(await git(other, "rev-parse", "FETCH_HEAD"), old);
});

test("creating and removing can be repeated, and HEAD can be moved to a branch that is yet to come", async (t) => {
  const root = join(folder(t), "repositories");
  const host = gitHttpBackend({ root });
  await Promise.all([host.create("r2", "trunk"), host.create("r2", "trunk")]);
  await host.create("r2", "other");
  const head = () => readFileSync(join(root, "r2.git/HEAD"), "utf8");
  assert.equal(head(), "ref: refs/heads/trunk\n");
  await host.setHead("r2", "next");
  assert.equal(head(), "ref: refs/heads/next\n");
  await host.remove("r2");
  await host.remove("r2");
  assert.deepEqual(readdirSync(root), []);
  await assert.rejects(host.create("r3", "bad..name"), /git init/);
  assert.deepEqual(readdirSync(root), [], "nothing is left of what could not be made");
});

const outside = ["/../secret.git/info/refs", "/%2e%2e/secret.git/info/refs", "/r1.git/../../secret.git/info/refs"];
const unserved = [
  "/nope.git/info/refs",
  "/r1.git/HEAD",
  "/r1.git/objects/info/packs",
  "/r1.git/config",
  "/r1/info/refs",
];
for (const path of [...outside, ...unserved]) {
  test(`${path} is not found`, async (t) => {
    const { host, root } = await hosted(t);
    mkdirSync(join(root, "../secret.git"));
    const response = await host.fetch(new Request(`http://x${path}?service=git-upload-pack`));
    assert.equal(response.status, 404);
  });
}

for (const id of ["..", "a/b", "../x", "", ".hidden", "a.git/../b"]) {
  test(`the id ${JSON.stringify(id)} is refused`, async (t) => {
    const host = gitHttpBackend({ root: folder(t) });
    await assert.rejects(host.create(id, "main"), /not one of ours/);
    await assert.rejects(host.remove(id), /not one of ours/);
  });
}

test("the parent's own Git variables and configuration do not reach the repositories", async (t) => {
  const { url } = await hosted(t);
  const tree = await workTree(t);
  process.env.GIT_DIR = "/nonexistent";
  process.env.GIT_CONFIG_PARAMETERS = "'http.receivepack'='false'";
  t.after(() => {
    delete process.env.GIT_DIR;
    delete process.env.GIT_CONFIG_PARAMETERS;
  });
  const env = { PATH: process.env.PATH, HOME: tree };
  await promisify(execFile)("git", ["push", "--quiet", url, "main"], { cwd: tree, env });
});

/**
 * The ids of the processes that work in a folder, from Linux's `/proc`.
 *
 * @param {string} folder
 */
function processesIn(folder) {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      // The process ended meanwhile, or belongs to another user.
      return false;
    }
  });
}

test("a fetch that nobody reads any more is ended, in Git too", async (t) => {
  const { url, host, root } = await hosted(t);
  const tree = await workTree(t, 30);
  await git(tree, "push", "--quiet", url, "main");
  const want = await git(tree, "rev-parse", "HEAD");
  const lines = ["command=fetch", "object-format=sha1", null, `want ${want}`, "done"];
  const body = `${lines.map((l) => (l ? (l.length + 4).toString(16).padStart(4, "0") + l : "0001")).join("")}0000`;
  const response = await host.fetch(
    new Request("http://x/r1.git/git-upload-pack", {
      method: "POST",
      body,
      headers: { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" },
    }),
  );
  assert.equal(response.status, 200);
  const reader = present(response.body).getReader();
  await reader.read();
  assert.notDeepEqual(processesIn(root), [], "30 MB do not fit into the buffers, so Git still writes");
  await reader.cancel();
  await eventually(() => processesIn(root).length === 0, {
    what: "the processes of the fetch are gone",
    within: 8_000,
  });
});

for (const { kind, headers } of [
  { kind: "in chunks", headers: {} },
  // Git's own server never ends such a request, because it waits for the missing bytes.
  { kind: "with its length", headers: { "content-length": "1000000" } },
])
  test(`a push ${kind} whose client goes away leaves the refs as they were and nothing behind`, async (t) => {
    const { url, root } = await hosted(t);
    const tree = await workTree(t);
    await git(tree, "push", "--quiet", url, "main");
    const { hostname, port, pathname } = new URL(url);
    const request = httpRequest({
      hostname,
      port,
      path: `${pathname}/git-receive-pack`,
      method: "POST",
      headers: { "content-type": "application/x-git-receive-pack-request", ...headers },
    });
    request.on("error", () => {});
    const old = await git(tree, "rev-parse", "HEAD");
    const command = `${old} ${"1".repeat(40)} refs/heads/main\0report-status`;
    request.write(`${(command.length + 4).toString(16).padStart(4, "0")}${command}0000`);
    // The pack announces 200 objects, so Git indexes it. Then the sender goes silent.
    request.write(Buffer.concat([Buffer.from("PACK"), Buffer.from([0, 0, 0, 2, 0, 0, 0, 200])]));
    const incoming = () => readdirSync(join(root, "r1.git/objects")).filter((name) => name.startsWith("tmp_objdir"));
    await eventually(() => incoming().length > 0, { what: "Git takes the pack", within: 8_000 });
    request.destroy();
    await eventually(() => incoming().length === 0, { what: "Git removes what it took", within: 8_000 });
    assert.equal(await git(join(root, "r1.git"), "rev-parse", "main"), old);
    assert.equal(existsSync(join(root, "r1.git/refs/heads/main.lock")), false);
  });

test("the listener answers what is not there in the contract's form", async (t) => {
  const { listener } = await hosted(t);
  const response = await fetch(`${listener.url}/nothing/here`);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).error.code, "NOT_FOUND");
});

test("a pushed replace ref is refused alone, and one that is there from before changes nothing", async (t) => {
  const { root, url } = await hosted(t);
  const tree = await workTree(t);
  await git(tree, "push", "--quiet", url, "main");
  const tip = await git(tree, "rev-parse", "HEAD");
  const blob = await git(tree, "rev-parse", "HEAD:a");
  // With the replacement, the tip is not a commit any more. Then Git refuses every later push and fetch.
  const replace = `refs/replace/${tip}`;
  await git(tree, "update-ref", replace, blob);
  await git(tree, "--no-replace-objects", "commit", "--quiet", "--allow-empty", "-m", "two");
  await assert.rejects(
    git(tree, "--no-replace-objects", "push", url, "main", replace),
    /main -> main[\s\S]*refs\/replace\/.*deny updating a hidden ref/,
  );
  const inside = join(root, "r1.git");
  assert.equal(await git(inside, "rev-parse", "main"), await git(tree, "rev-parse", "main"), "the branch arrives");
  assert.equal(await git(inside, "for-each-ref", "refs/replace"), "");

  await git(inside, "update-ref", replace, blob);
  mkdirSync(join(inside, "info"), { recursive: true });
  writeFileSync(join(inside, "info/grafts"), `${await git(tree, "rev-parse", "main")}\n`);
  await git(tree, "--no-replace-objects", "commit", "--quiet", "--allow-empty", "-m", "three");
  await git(tree, "--no-replace-objects", "push", "--quiet", url, "main");
  assert.doesNotMatch(await git(tree, "ls-remote", url), /refs\/replace/);
  const clone = join(folder(t), "clone");
  await git(tree, "clone", "--quiet", "--mirror", url, clone);
  assert.equal(await git(clone, "rev-list", "--count", "main"), "3", "the graft cuts nothing off");
  assert.equal(await git(clone, "fsck", "--strict"), "");
});

test("a push from a shallow clone is refused, and does not make the repository shallow", async (t) => {
  const { root, url } = await hosted(t);
  const tree = await workTree(t);
  await git(tree, "commit", "--quiet", "--allow-empty", "-m", "two");
  const shallow = join(folder(t), "shallow");
  await git(tree, "clone", "--quiet", "--depth", "1", `file://${tree}`, shallow);
  await assert.rejects(git(shallow, "push", url, "main"), /shallow update not allowed/);
  assert.equal(existsSync(join(root, "r1.git/shallow")), false);
});
