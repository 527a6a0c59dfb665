/** Tests `refsync sync` with Git's own credential helpers. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { gitHttpBackend, serve } from "../../../../pkg/dist/node.js";
import { grow } from "../../../support/git/history.mjs";
import { folder, refsync } from "../support.mjs";

/**
 * Git's server for an upstream that requires `me:s3cret`, and for an empty repository that requires no credential.
 *
 * @param {import("node:test").TestContext} t
 */
async function guarded(t) {
  const root = folder(t);
  const backend = gitHttpBackend({ root });
  for (const name of ["upstream", "mirror"]) await backend.create(name, "main");
  await grow(join(root, "upstream.git"), 20);
  /** @param {Request} request */
  const answer = (request) => {
    const url = new URL(request.url);
    const isOpen = url.pathname.startsWith("/git/mirror");
    if (!isOpen && request.headers.get("authorization") !== `Basic ${btoa("me:s3cret")}`) {
      return new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="our forge"' } });
    }
    url.pathname = url.pathname.replace(/^\/git/, "");
    const { method, headers, body, signal } = request;
    return backend.fetch(new Request(url, { method, headers, body, signal, ...(body && { duplex: "half" }) }));
  };
  const listener = await serve({ service: { fetch: async (request) => answer(request) } });
  t.after(() => listener.close(0));
  return {
    port: listener.port,
    /** @param {string} name */
    url: (name) => `http://127.0.0.1:${listener.port}/git/${name}.git`,
  };
}

/**
 * The environment of a Git whose only helper is this file of `git credential-store`.
 *
 * @param {string} file
 */
const helper = (file) => ({
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "credential.helper",
  GIT_CONFIG_VALUE_0: `store --file=${file}`,
});

test("a server that wants a password is given what Git's helper knows, which it may keep", async (t) => {
  const server = await guarded(t);
  const file = join(folder(t), "credentials");
  await writeFile(file, `http://me:s3cret@127.0.0.1:${server.port}\n`);
  const { status, stdout, stderr } = await refsync(
    ["sync", server.url("upstream"), server.url("mirror")],
    helper(file),
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /refs\/heads\/main/);
  assert.doesNotMatch(stdout + stderr, /s3cret/);
  assert.match(await readFile(file, "utf8"), /me:s3cret@/);
});

test("a password that the server refuses is forgotten, and the error says what to do", async (t) => {
  const server = await guarded(t);
  const file = join(folder(t), "credentials");
  await writeFile(file, `http://me:outdated@127.0.0.1:${server.port}\n`);
  const { status, stderr } = await refsync(["sync", server.url("upstream"), server.url("mirror")], helper(file));
  assert.equal(status, 1);
  assert.match(stderr, /^error: source: .*refused the user name and password.*REFSYNC_SOURCE_TOKEN.*\n$/);
  assert.equal(await readFile(file, "utf8"), "", "as `git fetch` does");
});

test("without a helper that knows, and where a password was given, nobody is asked", async (t) => {
  const server = await guarded(t);
  const file = join(folder(t), "credentials");
  const source = server.url("upstream");
  const none = await refsync(["sync", source, server.url("mirror")], helper(file));
  assert.match(none.stderr, /wants a user name and password or a token \(401\); give one in REFSYNC_SOURCE_TOKEN/);
  await writeFile(file, `http://me:s3cret@127.0.0.1:${server.port}\n`);
  const given = await refsync(["sync", source.replace("://", "://me:wrong@"), server.url("mirror")], helper(file));
  assert.equal(given.status, 1, "what was given counts");
  assert.notEqual(await readFile(file, "utf8"), "", "and the helper's own is not forgotten");
});
