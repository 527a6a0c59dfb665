import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { remoteOf } from "../../../pkg/dist/cli/sync/credentials.js";
import { present } from "../../support/present.mjs";
import { bin } from "../../support/process/refsync.mjs";

/** @param {string[]} args */
const refsync = (...args) => spawnSync(process.execPath, [bin, ...args], { encoding: "utf8", timeout: 20_000 });

/** @type {[args: string[], message: RegExp][]} */
const wrong = [
  [["bogus"], /unknown command 'bogus'/],
  [["sync"], /missing required argument 'source-url'/],
  [["sync", "http://a/x.git"], /missing required argument 'destination-url'/],
  [["sync", "http://a/x.git", "http://b/y.git", "http://c/z.git"], /too many arguments/],
  [["sync", "--overwrite", "http://a/x.git", "http://b/y.git"], /unknown option '--overwrite'/],
  [["sync", "somewhere", "http://b/y.git"], /the source is not a URL/],
  [["sync", "http://a/x.git", "ssh://git@b/y.git"], /the destination is an SSH address, and SSH is not supported/],
  [["sync", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git", "--branches", "["], /\[/],
  [["sync", "http://a/x.git", "http://b/y.git", "--timeout", "0"], /must be a number of seconds above 0/],
  [["sync", "http://a/x.git", "http://b/y.git", "--timeout", "soon"], /must be a number of seconds above 0/],
  [["serve", "--port", "high"], /must be a whole number from 0 to 65535/],
  [["serve", "--port", "65536"], /must be a whole number from 0 to 65535/],
  [["proxy"], /required option '--allow-host <host>' not specified/],
  [
    ["serve", "--port", "1", "--port", "2"],
    /option '--port <number>' is given twice with different values; give it once/,
  ],
  [["sync", "http://a/x.git", "http://b/y.git", "--prune", "1", "--prune", "2"], /'--prune <number>' is given twice/],
  [
    ["sync", "http://a/x.git", "http://b/y.git", "--branches", "--force"],
    /'--branches <glob>' needs a value, and --force/,
  ],
  [["sync", "http://a/x.git", "http://b/y.git", "--branches", "--frce"], /write --branches=--frce if it is the value/],
  [["sync", "http://a/x.git", "http://b/y.git", "--exclude"], /option '--exclude <glob>' argument missing/],
  [
    ["sync", "--exclude", "wip/*", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git"],
    /exclude\[0\] matches no full/,
  ],
  [["proxy", "--allow-host", "a.example", "b.example", "--allow-origin", "*"], /too many arguments/],
  [["serve", "--allow-range", "10.0.0.0/8", "192.168.0.0/16"], /too many arguments/],
  [["serve", "--nope"], /unknown option '--nope'/],
];
for (const [args, message] of wrong) {
  test(`refsync ${args.join(" ")} is wrong usage`, () => {
    const { status, stdout, stderr } = refsync(...args);
    assert.match(stderr, message);
    assert.equal(status, 2);
    assert.equal(stdout, "");
  });
}

test("the same value twice is that value, and a value behind an equals sign may look like an option", () => {
  // Both get to the connection, which is refused.
  const urls = ["http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git"];
  for (const flags of [["--prune", "1", "--prune", "1"], ["--branches=--force"], ["--push-option=--x", "--atomic"]]) {
    const { status, stderr } = refsync("sync", ...urls, ...flags);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /ECONNREFUSED/);
  }
});

test("help and version are not wrong usage", () => {
  for (const args of [["--help"], ["sync", "--help"], ["serve", "--help"], ["proxy", "--help"], ["--version"]]) {
    const { status, stdout } = refsync(...args);
    assert.equal(status, 0, args.join(" "));
    assert.notEqual(stdout, "");
  }
});

test("a sync that cannot reach its source fails with code 1, one line, and its error as JSON where that is asked for", () => {
  const plain = refsync("sync", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git");
  assert.equal(plain.status, 1);
  assert.match(plain.stderr, /^error: .*http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED.*\n$/);
  const json = refsync("sync", "--json", "http://127.0.0.1:1/x.git", "http://127.0.0.1:1/y.git");
  assert.equal(json.status, 1);
  const { error } = JSON.parse(present(json.stdout.trim().split("\n").at(-1)));
  assert.ok(error.code && error.message.includes("ECONNREFUSED"));
});

test("credentials in the URL are never printed", () => {
  const { stdout, stderr } = refsync(
    "sync",
    "--json",
    "http://u:hunter2@127.0.0.1:1/x.git",
    "http://t0ken@127.0.0.1:1/y",
  );
  assert.doesNotMatch(stdout + stderr, /hunter2|t0ken/);
  const typo = refsync("sync", "http//u:hunter2@127.0.0.1", "http://b/y.git");
  assert.doesNotMatch(typo.stdout + typo.stderr, /hunter2/);
});

// tests/js/hosts/credentials.test.mjs tests how the engine reads a URL with credentials, and which credentials a server
// receives.
/**
 * @type {[url: string, environment: NodeJS.ProcessEnv, expected: { url: string, username?: string, password?: string }][]}
 */
const remotes = [
  ["http://h/r.git", {}, { url: "http://h/r.git" }],
  ["http://u:p%40q@h/r.git", {}, { url: "http://u:p%40q@h/r.git" }],
  ["http://u:100%@h/r.git", {}, { url: "http://u:100%@h/r.git" }],
  [
    "http://h/r.git",
    { REFSYNC_SOURCE_USERNAME: "u", REFSYNC_SOURCE_PASSWORD: "p" },
    { url: "http://h/r.git", username: "u", password: "p" },
  ],
  ["http://h/r.git", { REFSYNC_SOURCE_TOKEN: "t" }, { url: "http://h/r.git", password: "t" }],
  [
    "http://h/r.git",
    { REFSYNC_SOURCE_TOKEN: "t", REFSYNC_SOURCE_USERNAME: "oauth2" },
    { url: "http://h/r.git", username: "oauth2", password: "t" },
  ],
  ["http://u@h/r.git", { REFSYNC_SOURCE_TOKEN: "t" }, { url: "http://u@h/r.git", password: "t" }],
  ["http://u:p@h/r.git", { REFSYNC_SOURCE_TOKEN: "t" }, { url: "http://u:p@h/r.git" }],
  ["http://h/r.git", { REFSYNC_SOURCE_TOKEN: " \n" }, { url: "http://h/r.git" }],
  ["http://h/r.git", { REFSYNC_DESTINATION_TOKEN: "t" }, { url: "http://h/r.git" }],
];
for (const [url, environment, expected] of remotes) {
  test(`the source ${url} with ${JSON.stringify(environment)}`, () => {
    assert.deepEqual(remoteOf("source", url, environment), expected);
  });
}
