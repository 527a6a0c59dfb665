/** Addresses of repositories in the forms that people paste. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { InvalidRequestError, sync } from "../../../pkg/dist/engine.js";
import { listenFor } from "../../support/network/listen.mjs";
import { refsync } from "../cli/support.mjs";
import { both, fails, front, repositories, works } from "./both.mjs";

/**
 * @typedef {import("./front.mjs").Habit} Habit
 */

/** @type {[name: string, address: (url: string) => string][]} */
const pasted = [
  ["a slash at its end", (url) => `${url}/`],
  ["several slashes at its end", (url) => `${url}///`],
  ["blanks and a line end around it", (url) => `  ${url}\n`],
  ["the scheme in upper case", (url) => url.replace("http", "HTTP")],
  ["the first request of Git behind it", (url) => `${url}/info/refs?service=git-upload-pack`],
  ["the path of that request behind it", (url) => `${url}/info/refs`],
  ["an IPv4 address in another form", (url) => url.replace("127.0.0.1", "0x7f.1")],
];
for (const [name, address] of pasted) {
  test(`an address with ${name} works`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    await both(t, repos, {}, works(repos), { address });
  });
}

test("a host in upper case gets its credentials, also behind a redirect", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  /** @type {Habit} */
  const habit = {
    answer: async (request, pass) => {
      if (request.headers.authorization !== `Basic ${btoa("me:secret")}`) return { status: 401, headers: {}, body: "" };
      if (request.url.startsWith("/moved/")) {
        if (request.method === "POST") return { status: 404, headers: {}, body: "" };
        return { status: 301, headers: { location: request.url.slice("/moved".length) }, body: "" };
      }
      return pass(request);
    },
  };
  const address = (/** @type {string} */ url) =>
    url.replace("://127.0.0.1", "://me:secret@LocalHost").replace(/\/([^/]*)$/, "/moved/$1");
  await both(t, repos, habit, works(repos), { address });
});

test("an IPv6 address works", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const plain = await front(t, repos);
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
    const answer = await fetch(plain.origin + request.url, {
      method: request.method,
      headers: kept(request.headers),
      body,
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const { port } = new URL(await listenFor(t, server, "::1"));
  for (const host of ["[::1]", "[0:0:0:0:0:0:0:1]"]) {
    await both(t, repos, {}, works(repos), { address: (url) => url.replace(/127\.0\.0\.1:\d+/, `${host}:${port}`) });
  }
});

/** @param {import("node:http").IncomingHttpHeaders} headers */
const kept = (headers) =>
  Object.fromEntries(
    ["content-type", "git-protocol", "accept"].filter((n) => headers[n]).map((n) => [n, String(headers[n])]),
  );

test("names and ports are asked for as a browser writes them", async () => {
  /** @type {[url: string, asked: string][]} */
  const table = [
    ["https://BÜCHER.example/r.git", "https://xn--bcher-kva.example/r.git"],
    ["HTTPS://Git.Example:443/Owner/r.git/", "https://git.example/Owner/r.git"],
    ["http://me:pass@h.example:80/r", "http://h.example/r"],
    ["https://h.example/a b/r.git", "https://h.example/a%20b/r.git"],
  ];
  for (const [url, asked] of table) {
    /** @type {string[]} */
    const seen = [];
    const fetch = async (/** @type {string} */ input) => {
      seen.push(input);
      return new Response("", { status: 404 });
    };
    const error = await sync({ source: url, destination: "https://other.example/r", fetch }).catch((e) => e);
    assert.ok(seen.includes(`${asked}/git-upload-pack`), `${url}: ${seen}`);
    assert.match(error.message, new RegExp(`list the refs of (${asked}|https://other.example/r): `), url);
    assert.doesNotMatch(error.message, /pass/);
  }
});

/** @type {[page: string, repository: string][]} */
const pages = [
  ["/owner/upstream/tree/main", "/owner/upstream"],
  ["/owner/upstream/blob/main/README.md", "/owner/upstream"],
  ["/group/sub/upstream/-/tree/main?x", "/group/sub/upstream"],
  ["/owner/upstream/src/branch/main", "/owner/upstream"],
  ["/owner/upstream/pull/7", "/owner/upstream"],
];
for (const [page, repository] of pages) {
  test(`the address of a page, ${page}, is an error that names the repository's`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    const html = { "content-type": "text/html" };
    const address = (/** @type {string} */ url) => new URL(page.replace("?x", ""), url).href;
    const hint = new RegExp(`address of a page; the repository may be at http://127\\.0\\.0\\.1:\\d+${repository}$`);
    await both(
      t,
      repos,
      { answer: async () => ({ status: 404, headers: html, body: "<html>" }) },
      fails(repos, "not_found", hint),
      { address },
    );
    await both(
      t,
      repos,
      { answer: async () => ({ status: 200, headers: html, body: "<html>" }) },
      fails(repos, "not_a_git_server", hint),
      { address },
    );
  });
}

/** @type {[url: string, words: RegExp][]} */
const refusals = [
  [
    "git@github.com:owner/repo.git",
    /is an SSH address, and SSH is not supported; use the https URL, such as https:\/\/github\.com\/owner\/repo\.git$/,
  ],
  ["github.com:owner/repo.git", /SSH is not supported; .*https:\/\/github\.com\/owner\/repo\.git$/],
  [
    "ssh://git@git.example.com:2222/owner/repo.git",
    /SSH is not supported; .*https:\/\/git\.example\.com\/owner\/repo\.git$/,
  ],
  ["ssh://git:planted@git.example.com/owner/repo.git", /SSH is not supported/],
  ["git+ssh://git@git.example.com/r", /SSH is not supported/],
  ["git://git.example.com/r.git", /is a git:\/\/ URL, which is not supported; use the https URL$/],
  ["ftp://git.example.com/r.git", /is a ftp:\/\/ URL, which is not supported/],
  ["file:///srv/r.git", /is a path on this machine; only repositories on a server can be reached/],
  ["/srv/r.git", /is a path on this machine/],
  ["./r.git", /is a path on this machine/],
  ["../r.git", /is a path on this machine/],
  ["~/r.git", /is a path on this machine/],
  ["C:\\src\\r.git", /is a path on this machine/],
  ["C:/src/r.git", /is a path on this machine/],
  ["github.com/owner/repo", /is not a URL; write https:\/\/github\.com\/owner\/repo$/],
  ["git.example.com:3000/owner/repo", /is not a URL; write https:\/\/git\.example\.com:3000\/owner\/repo$/],
  ["somewhere", /is not a URL such as https:/],
  ["http//me:planted@h/r", /is not a URL such as https:/],
  ["https:me:planted@h/r", /is not a URL such as https:/],
  ["https:///planted@h/r", /has no host$|is not a URL/],
  ["https://", /has no host$|is not a URL/],
  ["https://me:pl/anted@h/r", /is not a URL; if a user name or password has one of the characters/],
  ["https://h/r.git?token=planted", /has a query or a fragment, which no repository has/],
  ["https://h/r.git#readme", /has a query or a fragment/],
  ["", /is missing$/],
  ["  ", /is missing$/],
];
for (const [url, words] of refusals) {
  test(`the address ${JSON.stringify(url)} is refused with the reason and what to write`, async () => {
    for (const side of ["source", "destination"]) {
      const at = { source: "http://127.0.0.1:1/a", destination: "http://127.0.0.1:1/b", [side]: url };
      const error = await sync(at).catch((e) => e);
      assert.ok(error instanceof InvalidRequestError, `${error}`);
      assert.deepEqual(
        error.fields.map(({ field }) => field),
        [`${side}.url`],
      );
      assert.match(`${error.fields[0]?.message}`, words);
      assert.doesNotMatch(error.message, /planted|anted/);
    }
  });
}

test("the command refuses such an address as wrong usage", async () => {
  const { status, stderr } = await refsync(["sync", "http://a/x.git", "git@github.com:owner/repo.git"]);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /^error: the destination is an SSH address, .* such as https:\/\/github\.com\/owner\/repo\.git\n$/,
  );
});
