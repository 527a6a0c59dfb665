/** Credentials in the forms that people copy, and the header that a server gets. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { InvalidRequestError, sync } from "../../../pkg/dist/engine.js";
import { refsync } from "../cli/support.mjs";
import { fetches, front, repositories, runGit, SIDES } from "./both.mjs";

/**
 * @typedef {import("./front.mjs").Test} Test
 * @typedef {import("./front.mjs").Repositories} Repositories
 * @typedef {import("./front.mjs").Habit} Habit
 * @typedef {import("./front.mjs").Host} Host
 * @typedef {(url: string) => string | { url: string, username?: string, password?: string }} Settings
 */

/** @param {string | Buffer} pair */
const basic = (pair) => `Basic ${Buffer.from(pair).toString("base64")}`;

/**
 * A host that accepts only this pair of user name and password, and records the received credentials.
 *
 * @param {string | Buffer} pair
 * @returns {Habit}
 */
const guarded = (pair) => ({
  answer: async (request, pass) => {
    if (request.headers.authorization === basic(pair)) return pass(request);
    return { status: 401, headers: { "www-authenticate": 'Basic realm="forge"' }, body: "" };
  },
});

/**
 * The credentials received so far, each once, in order.
 *
 * @param {Host} host
 */
function sent(host) {
  const pairs = host.seen.map(({ headers }) => headers.authorization && atob(headers.authorization.slice(6)));
  return [...new Set(pairs)];
}

/**
 * Syncs from the host with each `fetch`, and to it.
 *
 * @param {Test} t
 * @param {Repositories} repos
 * @param {string | Buffer} pair
 * @param {Settings} settings
 */
async function withLibrary(t, repos, pair, settings) {
  const plain = await front(t, repos);
  const hosts = [];
  for (const [name, fetch] of Object.entries(fetches(t))) {
    for (const side of SIDES) {
      const host = await front(t, repos, guarded(pair));
      const destination = await repos.empty();
      /** @type {{ source: ReturnType<Settings>, destination: ReturnType<Settings> }} */
      const at = { source: plain.url("upstream"), destination: plain.url(destination) };
      at[side] = settings(host.url(side === "source" ? "upstream" : destination));
      await sync({ ...at, ...(fetch && { fetch }) });
      assert.equal(await repos.refs(destination), await repos.refs("upstream"), `${side}, ${name}`);
      hosts.push(host);
    }
  }
  return hosts;
}

/** @type {(userinfo: string) => (url: string) => string} */
const inUrl = (userinfo) => (url) => url.replace("://", `://${userinfo}@`);
/** @type {(options: { username?: string, password?: string }) => Settings} */
const beside = (options) => (url) => ({ url, ...options });

/** @type {[name: string, pair: string | Buffer, settings: (url: string) => string][]} */
const table = [
  ["a user name and a password in the URL", "me:secret", inUrl("me:secret")],
  ["percent-escapes, decoded once", "m@e:a%40b/c", inUrl("m%40e:a%2540b%2Fc")],
  ["a percent sign that starts no escape", "me:100%", inUrl("me:100%")],
  [
    "letters beyond Latin-1, in UTF-8",
    "müller:ключ🔑",
    inUrl(`${encodeURIComponent("müller")}:${encodeURIComponent("ключ🔑")}`),
  ],
  ["a byte that is no UTF-8", Buffer.from("me:caf\xe9", "latin1"), inUrl("me:caf%E9")],
  ["an empty password", "me:", inUrl("me:")],
];
for (const [name, pair, settings] of table) {
  test(`credentials in a URL: ${name}, as Git sends them`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    const host = await front(t, repos, guarded(pair));
    const git = await runGit(repos.root, ["ls-remote", settings(host.url("upstream"))]);
    assert.equal(git.status, 0, git.stderr);
    for (const each of await withLibrary(t, repos, pair, settings)) assert.equal(sent(each).length, 1);
  });
}

/** @type {[name: string, pair: string, settings: Settings][]} */
const options = [
  // Git treats the first `@` as the end of the password. Browsers and this package treat the last one as the end.
  ["an at sign in a password in the URL", "me:p@ss", inUrl("me:p@ss")],
  ["a user name and a password", "me:secret", beside({ username: "me", password: "secret" })],
  ["a token alone", "git:token", beside({ password: "token" })],
  ["a token with a line end", "git:token", beside({ password: "token\n" })],
  ["a token from a file of Windows", "git:token", beside({ password: "\uFEFFtoken \r\n" })],
  ["a password with blanks around it", "me: pass word ", beside({ username: "me", password: " pass word " })],
  ["letters beyond Latin-1", "müller:ключ🔑", beside({ username: "müller", password: "ключ🔑" })],
  [
    "a user name in the URL and the password beside it",
    "me:secret",
    (url) => ({ url: inUrl("me")(url), password: "secret" }),
  ],
  [
    "other credentials than in the URL",
    "me:secret",
    (url) => ({ url: inUrl("you:other")(url), username: "me", password: "secret" }),
  ],
];
for (const [name, pair, settings] of options) {
  test(`credentials of an option: ${name}`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    for (const each of await withLibrary(t, repos, pair, settings)) assert.deepEqual(sent(each), [decoded(pair)]);
  });
}

/**
 * The bytes as a string, as `atob` returns them.
 *
 * @param {string} pair
 */
function decoded(pair) {
  return Buffer.from(pair).toString("latin1");
}

test("a token alone in the URL is sent as a user name, and where that is refused, as a password", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  // GitHub and Gitea accept the first form; GitLab, Azure DevOps and Bitbucket accept the second one.
  for (const host of await withLibrary(t, repos, "t0ken:", inUrl("t0ken"))) assert.deepEqual(sent(host), ["t0ken:"]);
  for (const host of await withLibrary(t, repos, "git:t0ken", inUrl("t0ken"))) {
    assert.deepEqual(sent(host), ["t0ken:", "git:t0ken"]);
  }
});

test("a credential that cannot be sent is refused before anything is asked", async () => {
  const at = {
    source: { url: "http://127.0.0.1:1/a.git", password: "to\nken" },
    destination: "http://127.0.0.1:1/b.git",
  };
  const error = await sync(at).catch((e) => e);
  assert.ok(error instanceof InvalidRequestError, `${error}`);
  assert.deepEqual(error.fields, [
    { field: "source.password", message: "has a line end or another control character in it" },
  ]);
  assert.doesNotMatch(error.message, /ken/);
});

/**
 * Runs the command, from the host and to it.
 *
 * @param {Test} t
 * @param {Repositories} repos
 * @param {string} pair
 * @param {string} userinfo
 * @param {Record<string, string>} variables
 */
async function withCommand(t, repos, pair, userinfo, variables, config = "/dev/null") {
  const plain = await front(t, repos);
  const hosts = [];
  for (const side of SIDES) {
    const host = await front(t, repos, guarded(pair));
    const destination = await repos.empty();
    const at = { source: plain.url("upstream"), destination: plain.url(destination) };
    at[side] = inUrl(userinfo)(host.url(side === "source" ? "upstream" : destination)).replace("://@", "://");
    /** @type {Record<string, string>} */
    const env = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: config };
    for (const [name, value] of Object.entries(variables)) env[`REFSYNC_${side.toUpperCase()}_${name}`] = value;
    const { status, stdout, stderr } = await refsync(["sync", at.source, at.destination], env);
    assert.equal(status, 0, `${side}: ${stderr}`);
    assert.doesNotMatch(stdout + stderr, /t0ken/);
    assert.equal(await repos.refs(destination), await repos.refs("upstream"), side);
    hosts.push(host);
  }
  return hosts;
}

/** @type {[name: string, pair: string, userinfo: string, variables: Record<string, string>][]} */
const environments = [
  ["a token", "git:t0ken", "", { TOKEN: "t0ken" }],
  ["a token with a line end", "git:t0ken", "", { TOKEN: "t0ken\r\n" }],
  ["a token with blanks and a byte order mark", "git:t0ken", "", { TOKEN: "\uFEFF t0ken \n" }],
  [
    "a password with a blank inside, and a line end",
    "me:t0ken and more",
    "",
    { USERNAME: " me", PASSWORD: "t0ken and more\n" },
  ],
  ["a token for the user name in the URL", "joe:t0ken", "joe", { TOKEN: "t0ken\n" }],
  [
    "a token for the user name in the URL, and not for another",
    "joe:t0ken",
    "joe",
    { TOKEN: "t0ken", USERNAME: "jane" },
  ],
  ["nothing that the URL's own password needs", "joe:s3cret", "joe:s3cret", { TOKEN: "t0ken" }],
  ["nothing that the URL's own empty password needs", "joe:", "joe:", { TOKEN: "t0ken" }],
];
for (const [name, pair, userinfo, variables] of environments) {
  test(`the environment gives the command ${name}`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    for (const host of await withCommand(t, repos, pair, userinfo, variables)) assert.deepEqual(sent(host), [pair]);
  });
}

test("the command sends a token alone in the URL as the library does", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  for (const host of await withCommand(t, repos, "t0ken:", "t0ken", {})) assert.deepEqual(sent(host), ["t0ken:"]);
  for (const host of await withCommand(t, repos, "git:t0ken", "t0ken", {})) {
    assert.deepEqual(sent(host), ["t0ken:", "git:t0ken"]);
  }
});

test("Git's helper is asked for the password of the user in the URL", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const config = join(repos.root, "gitconfig");
  await writeFile(config, `[credential]\n\thelper = "!f() { grep -q username=joe && echo password=t0ken; }; f"\n`);
  for (const host of await withCommand(t, repos, "joe:t0ken", "joe", {}, config)) {
    assert.deepEqual(sent(host), ["joe:", "joe:t0ken"]);
  }
});

test("a helper's credentials are not forgotten because a redirect leads to another host", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const other = await front(t, repos, guarded("me:other"));
  const host = await front(t, repos, {
    answer: async ({ method, url }) =>
      method === "GET"
        ? { status: 302, headers: { location: other.origin + url }, body: "" }
        : { status: 404, headers: {}, body: "" },
  });
  const store = join(repos.root, "store");
  const line = `${host.origin.replace("://", "://me:s3cret@")}\n`;
  await writeFile(store, line);
  const env = {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "credential.helper",
    GIT_CONFIG_VALUE_0: `store --file=${store}`,
  };
  const plain = await front(t, repos);
  const { status, stderr } = await refsync(["sync", host.url("upstream"), plain.url(await repos.empty())], env);
  assert.equal(status, 1);
  assert.match(stderr, /redirects to .*, which answers 401/);
  assert.doesNotMatch(stderr, /REFSYNC_SOURCE_TOKEN/, "another token would not help");
  assert.equal(await readFile(store, "utf8"), line);
});

test("a variable that is no credential is wrong usage, and its text is not shown", async () => {
  const { status, stderr } = await refsync(["sync", "http://127.0.0.1:1/a", "http://127.0.0.1:1/b"], {
    REFSYNC_SOURCE_TOKEN: "user\nplanted",
  });
  assert.equal(status, 2);
  assert.equal(stderr, "error: REFSYNC_SOURCE_TOKEN has a line end or another control character in it\n");
});
