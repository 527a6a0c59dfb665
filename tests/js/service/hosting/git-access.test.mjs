import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { present } from "../../../support/present.mjs";
import { git, start } from "../support.mjs";

/**
 * A repository `app` behind a listener, and its URL with a key in it.
 *
 * @param {import("node:test").TestContext} t
 */
async function hosted(t) {
  const s = await start(t);
  await s.ok("POST", "/acme/repos", { name: "app" });
  const origin = await s.listen();
  /** @param {string} key */
  const withKey = (key) => `${origin.replace("//", `//git:${key}@`)}/acme/app.git`;
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const work = join(s.folder, "work");
  await git(work, "commit", "-q", "--allow-empty", "-m", "one");
  return { ...s, origin, withKey, work };
}

test("git clone and git push work with an API key as the password", async (t) => {
  const { withKey, work, keys, folder, ok } = await hosted(t);
  await git(work, "push", "-q", withKey(keys.write), "main");
  await git(folder, "clone", "-q", withKey(keys.read), "clone");
  const tip = await git(work, "rev-parse", "main");
  assert.equal(await git(join(folder, "clone"), "rev-parse", "HEAD"), tip);
  const bytes = Buffer.from(tip, "hex").subarray(4).reverse();
  const expected = [...bytes]
    .map((byte) => [...byte.toString(2).padStart(8, "0")].reverse().join(""))
    .flatMap((bits) => [bits.slice(0, 4), bits.slice(4)])
    .map((bits) => "zyxwvutsrqponmlk"[Number.parseInt(bits, 2)])
    .join("");
  assert.equal((await ok("GET", "/acme/app")).head_change_id, expected);
});

test("a push of megabytes arrives whole", async (t) => {
  const { withKey, work, keys, folder, ok } = await hosted(t);
  const { randomBytes } = await import("node:crypto");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(join(work, "big"), randomBytes(8 << 20));
  await git(work, "add", "big");
  await git(work, "commit", "-q", "-m", "big");
  await git(work, "push", "-q", withKey(keys.write), "main");
  const { id } = await ok("GET", "/acme/app");
  await git(`${folder}/repositories/${id}.git`, "fsck", "--strict");
});

test("a key that may only read cannot push", async (t) => {
  const { withKey, work, keys, origin } = await hosted(t);
  await assert.rejects(git(work, "push", "-q", withKey(keys.read), "main"), /403/);
  const basic = `Basic ${Buffer.from(`x:${keys.read}`).toString("base64")}`;
  const refused = await fetch(`${origin}/acme/app.git/info/refs?service=git-receive-pack`, {
    headers: { authorization: basic },
  });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /scope write/);
});

test("without a key Git is asked for one; a wrong one is refused", async (t) => {
  const { origin, withKey, work } = await hosted(t);
  const response = await fetch(`${origin}/acme/app.git/info/refs?service=git-upload-pack`);
  assert.equal(response.status, 401);
  assert.match(present(response.headers.get("www-authenticate")), /^Basic realm="refsync"/);
  await assert.rejects(git(work, "ls-remote", withKey("wrong")), /Authentication failed|401/);
});

test("an unknown repository, another organisation and loose files are not served", async (t) => {
  const { origin, keys } = await hosted(t);
  const headers = { authorization: `Basic ${Buffer.from(`x:${keys.admin}`).toString("base64")}` };
  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  const status = async (path, init) => (await fetch(origin + path, { headers, ...init })).status;
  assert.equal(await status("/acme/nothing.git/info/refs?service=git-upload-pack"), 404);
  assert.equal(await status("/other/app.git/info/refs?service=git-upload-pack"), 403);
  assert.equal(await status("/acme/app.git/HEAD"), 404);
  assert.equal(await status("/acme/app.git/config"), 404);
  assert.equal(await status("/acme/app.git/info/refs"), 404);
  assert.equal(await status("/acme/app.git/git-receive-pack", { method: "DELETE" }), 404);
  assert.equal(await status("/acme/APP.git/info/refs?service=git-upload-pack"), 200);
});
