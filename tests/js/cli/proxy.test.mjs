// The relay for engines in pages: which requests it forwards, to which hosts, and its limits.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { sync } from "refsync/engine";
import { guardedFetch } from "refsync/node";
import { gitProxy } from "refsync/proxy";

import { refsOf, workTree } from "../../support/git/git.mjs";
import { listen } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";
import { bin } from "../../support/process/refsync.mjs";
import { relay, serve } from "../../support/service/serve.mjs";

const PAGE = "http://page.test";
const REFS = "info/refs?service=git-upload-pack";
const GIT = { "content-type": "application/x-git-upload-pack-advertisement" };

/** @type {import("refsync/node").GuardedFetch} */
let local;
before(() => {
  local = guardedFetch({ allow: ["127.0.0.0/8"] });
});
after(() => local.close());

/**
 * Starts a web server that answers with `handle`, and returns its origin.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").RequestListener} handle
 */
async function host(t, handle) {
  const server = createServer(handle);
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/**
 * Sends a relay a request like one of a page.
 *
 * @param {string} origin
 * @param {string} path
 * @param {RequestInit & { headers?: Record<string, string> }} [init]
 */
function ask(origin, path, init = {}) {
  const url = `http://relay.test/${origin.replace("://", "/")}/${path}`;
  return new Request(url, { duplex: "half", ...init, headers: { origin: PAGE, ...init.headers } });
}

/** @param {Response} answer */
const code = async (answer) => (await answer.json()).error.code;

test("a sync through `refsync proxy` moves the refs, and the relay says nothing of the credentials", async (t) => {
  const service = await serve();
  t.after(() => service.stop());
  const tree = await workTree();
  t.after(() => tree.remove());
  await tree.commit("one");
  await tree.git("tag", "v1");
  for (const name of ["source", "mirror"]) await service.api("POST", `/${service.org}/repos`, { name });
  await tree.git("push", "--quiet", service.gitUrl("source"), "main", "v1");
  const proxy = await relay({ origins: [PAGE], hosts: [service.origin] });
  t.after(() => proxy.stop());
  // Set like a browser does. A page cannot forge it.
  /**
   * @param {string} input
   * @param {RequestInit} [init]
   */
  const asPage = (input, init) =>
    fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), origin: PAGE } });
  /** @param {string} repo */
  const remote = (repo) => ({ url: service.remote(repo), password: service.apiKey });
  const both = { source: remote("source"), destination: remote("mirror"), fetch: asPage, proxy: proxy.url };
  const { refs } = await sync(both);
  assert.deepEqual(
    refs.map(({ name, outcome }) => `${name} ${outcome}`),
    ["refs/heads/main updated", "refs/tags/v1 updated"],
  );
  assert.deepEqual(await refsOf(service.gitUrl("mirror")), await refsOf(service.gitUrl("source")));
  await assert.rejects(
    sync({ ...both, source: "http://127.0.0.1:9/r.git" }),
    /the relay at http.*: this relay does not reach http:\/\/127\.0\.0\.1:9; its operator names the hosts/,
  );
  assert.equal(await proxy.stop(), 0);
  assert.doesNotMatch(proxy.log(), new RegExp(service.apiKey));
});

test("what it does not serve is refused before any host hears of it", async (t) => {
  let heard = 0;
  const origin = await host(t, (_, answer) => {
    heard += 1;
    answer.end();
  });
  const proxy = gitProxy({ hosts: [origin], origins: [PAGE], fetch: local });
  const pack = { method: "POST", body: "0000" };
  /** @type {[request: Request, status: number, code: string][]} */
  const refusals = [
    [ask(origin, `r.git/${REFS}`, { headers: { origin: "http://other.test" } }), 403, "ORIGIN_NOT_ALLOWED"],
    [new Request("http://relay.test/https/h.test/r.git/info/refs"), 403, "ORIGIN_NOT_ALLOWED"],
    [ask("http://127.0.0.1:9", `r.git/${REFS}`), 403, "HOST_NOT_ALLOWED"],
    [ask(origin.replace("http:", "https:"), `r.git/${REFS}`), 403, "HOST_NOT_ALLOWED"],
    [ask(origin.replace("//", "//user:password@"), `r.git/${REFS}`), 403, "HOST_NOT_ALLOWED"],
    [ask(origin, "r.git/info/refs"), 403, "NOT_GIT"],
    [ask(origin, "r.git/info/refs?service=git-upload-archive"), 403, "NOT_GIT"],
    [ask(origin, `r.git/${REFS}&more=1`), 403, "NOT_GIT"],
    [ask(origin, "r.git/HEAD"), 403, "NOT_GIT"],
    [ask(origin, "r.git/git-upload-pack"), 403, "NOT_GIT"],
    [ask(origin, "r.git/git-upload-pack?x=1", pack), 403, "NOT_GIT"],
    [ask(origin, `r.git/${REFS}`, pack), 403, "NOT_GIT"],
    [ask(origin, "r.git/git-receive-pack", { ...pack, method: "PUT" }), 403, "NOT_GIT"],
    [ask("ftp://h.test", `r.git/${REFS}`), 404, "NOT_FOUND"],
    [new Request("http://relay.test/", { headers: { origin: PAGE } }), 404, "NOT_FOUND"],
  ];
  for (const [request, status, expected] of refusals) {
    const answer = await proxy(request);
    assert.deepEqual([answer.status, await code(answer)], [status, expected], `${request.method} ${request.url}`);
  }
  assert.equal(heard, 0);
  const open = gitProxy({ hosts: [origin], origins: ["*"], fetch: guardedFetch() });
  const refused = await open(ask(origin, `r.git/${REFS}`));
  assert.deepEqual(
    [refused.status, await code(refused)],
    [403, "ADDRESS_NOT_ALLOWED"],
    "nor a private address by default",
  );
  assert.equal(heard, 0);
});

test("credentials and Git's headers are passed on, cookies and all else are not", async (t) => {
  /** @type {import("node:http").IncomingHttpHeaders[]} */
  const seen = [];
  const origin = await host(t, (request, answer) => {
    seen.push(request.headers);
    answer.writeHead(200, { ...GIT, "set-cookie": "a=b", "www-authenticate": "Basic", "x-own": "1" });
    answer.end("refs");
  });
  const proxy = gitProxy({ hosts: [origin], origins: [PAGE], fetch: local });
  const headers = {
    authorization: "Basic abc",
    "git-protocol": "version=2",
    cookie: "session=1",
    "x-forwarded-for": "1.1.1.1",
  };
  const answer = await proxy(ask(origin, `r.git/${REFS}`, { headers }));
  assert.equal(await answer.text(), "refs");
  const passed = present(seen[0]);
  assert.deepEqual([passed.authorization, passed["git-protocol"]], ["Basic abc", "version=2"]);
  for (const name of ["cookie", "x-forwarded-for", "origin", "referer"]) assert.equal(passed[name], undefined, name);
  assert.equal(answer.headers.get("content-type"), GIT["content-type"]);
  for (const name of ["set-cookie", "www-authenticate", "x-own"]) assert.equal(answer.headers.get(name), null, name);
  assert.equal(answer.headers.get("access-control-allow-origin"), PAGE);
  const preflight = await proxy(
    ask(origin, `r.git/${REFS}`, { method: "OPTIONS", headers: { "access-control-request-headers": "authorization" } }),
  );
  assert.equal(preflight.status, 204);
  assert.match(present(preflight.headers.get("access-control-allow-headers")), /authorization.*git-protocol/);
});

test("a host that compresses what nobody asked it to is read through a relay, whatever `fetch` that has", async (t) => {
  const origin = await host(t, (_, response) => {
    response.writeHead(200, { ...GIT, "content-encoding": "gzip" }).end(gzipSync("packed"));
  });
  for (const fetch of [local, globalThis.fetch]) {
    const relay = gitProxy({ hosts: [origin], origins: [PAGE], fetch });
    const answer = await relay(ask(origin, `r.git/${REFS}`));
    assert.equal(answer.headers.get("content-encoding"), null, "a browser would decode it again");
    assert.equal(await answer.text(), "packed");
  }
});

test("a host that tells Git from a browser sees a Git behind the relay", async (t) => {
  /** @type {(string | undefined)[]} */
  const seen = [];
  const origin = await host(t, (request, response) => {
    seen.push(request.headers["user-agent"]);
    response.writeHead(200, GIT).end("here");
  });
  for (const fetch of [local, globalThis.fetch]) {
    const relay = gitProxy({ hosts: [origin], origins: [PAGE], fetch });
    await (await relay(ask(origin, `r.git/${REFS}`))).text();
  }
  for (const name of seen) assert.match(`${name}`, /^git\//);
  assert.equal(seen.length, 2);
});

test("a redirect is followed to another named host without the credentials, and to no other", async (t) => {
  /** @type {(string | undefined)[]} */
  const seen = [];
  const second = await host(t, (request, answer) => {
    seen.push(request.headers.authorization);
    answer.writeHead(200, GIT).end("moved here");
  });
  let to = second;
  const first = await host(t, (_, answer) => answer.writeHead(301, { location: `${to}/new.git/${REFS}` }).end());
  const proxy = gitProxy({ hosts: [first, second], origins: [PAGE], fetch: local });
  const headers = { authorization: "Basic abc" };
  const answer = await proxy(ask(first, `old.git/${REFS}`, { headers }));
  assert.equal(await answer.text(), "moved here");
  assert.equal(answer.headers.get("x-refsync-answered-by"), `${second}/new.git/${REFS}`);
  assert.deepEqual(seen, [undefined]);
  to = "http://127.0.0.1:9";
  const refused = await proxy(ask(first, `old.git/${REFS}`, { headers }));
  assert.deepEqual([refused.status, await code(refused)], [403, "HOST_NOT_ALLOWED"]);
});

test("a redirect leads to the refs of the same service, and to nothing else of an allowed host", async (t) => {
  /** @type {(string | undefined)[]} */
  const seen = [];
  let to = "";
  const origin = await host(t, (request, answer) => {
    if (request.url?.startsWith("/old.git/")) return void answer.writeHead(302, { location: to }).end();
    seen.push(request.url);
    answer.writeHead(200, GIT).end("refs");
  });
  const other = await host(t, (request, answer) => {
    seen.push(request.url);
    answer.writeHead(200, GIT).end("refs");
  });
  const proxy = gitProxy({ hosts: [origin, other], origins: [PAGE], fetch: local });
  for (to of [
    "/user/settings?tab=tokens",
    "/old.git/../api/v4/user",
    "/new.git/info/refs",
    "/new.git/info/refs?service=git-receive-pack",
    `/new.git/${REFS}&token=1`,
    "/new.git/git-upload-pack",
    `/new.git/HEAD?${REFS}`,
    `${other}/logout`,
  ]) {
    const refused = await proxy(ask(origin, `old.git/${REFS}`, { headers: { authorization: "Basic abc" } }));
    assert.deepEqual([refused.status, await code(refused)], [403, "NOT_GIT"], to);
  }
  assert.deepEqual(seen, []);
  to = `/new.git/${REFS}`;
  const followed = await proxy(ask(origin, `old.git/${REFS}`));
  assert.deepEqual([followed.status, await followed.text()], [200, "refs"]);
  // A POST is not sent again.
  to = "/new.git/git-upload-pack";
  const posted = await proxy(ask(origin, "old.git/git-upload-pack", { method: "POST", body: "0000" }));
  assert.deepEqual([posted.status, posted.headers.get("location"), await posted.text()], [302, null, ""]);
  assert.equal(seen.length, 1);
});

test("no page of a host is passed on, and no answer can become one", async (t) => {
  const page = "<script>alert(document.domain)</script>";
  /** @type {[status: number, type: string | undefined]} */
  let [status, type] = [200, "text/html"];
  const origin = await host(t, (_, answer) => {
    answer.writeHead(status, { ...(type && { "content-type": type }), "retry-after": "7" }).end(page);
  });
  const proxy = gitProxy({ hosts: [origin], origins: [PAGE], fetch: local });
  for (type of [
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/plain",
    "application/x-git-other",
    undefined,
  ]) {
    status = 200;
    const refused = await proxy(ask(origin, `r.git/${REFS}`));
    assert.equal(refused.status, 502);
    const { error } = await refused.json();
    assert.equal(error.code, "ANSWER_NOT_GIT");
    assert.match(error.message, /\/r\.git\/info\/refs with .* and not with Git's protocol; if it is a sign-in page/);
    for (status of [401, 403, 404, 500]) {
      const answer = await proxy(ask(origin, `r.git/${REFS}`));
      assert.deepEqual([answer.status, await answer.text()], [status, ""], "the status is passed on, the page is not");
      assert.equal(answer.headers.get("content-type"), null);
      assert.equal(answer.headers.get("retry-after"), "7");
      assert.equal(answer.headers.get("x-refsync-answered-by"), `${origin}/r.git/${REFS}`);
    }
  }
  [status, type] = [200, "Application/X-Git-Upload-Pack-Advertisement; charset=utf-8"];
  const git = await proxy(ask(origin, `r.git/${REFS}`));
  assert.equal(await git.text(), page, "what calls itself Git's is the engine's to read");
  const refused = await proxy(ask("http://127.0.0.1:9", `r.git/${REFS}`));
  for (const answer of [git, refused]) {
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("content-security-policy"), "sandbox; default-src 'none'");
  }
});

test("it is bounded in requests, in bytes and in silence", async (t) => {
  /** @type {import("node:http").ServerResponse[]} */
  const waiting = [];
  const origin = await host(t, (request, answer) => {
    if (request.url?.startsWith("/large")) answer.writeHead(200, GIT).end(Buffer.alloc(100_000));
    else waiting.push(answer);
  });
  const options = { hosts: [origin], origins: [PAGE], fetch: local };
  const proxy = gitProxy({ ...options, maxConcurrent: 1, maxBytes: 50_000, idleTimeout: 300 });
  const silent = proxy(ask(origin, `silent.git/${REFS}`));
  const busy = await proxy(ask(origin, `r.git/${REFS}`));
  assert.deepEqual([busy.status, busy.headers.get("retry-after"), await code(busy)], [503, "5", "BUSY"]);
  const given = await silent;
  assert.deepEqual([given.status, await code(given)], [502, "HOST_UNREACHABLE"]);
  const large = await proxy(ask(origin, `large.git/${REFS}`));
  await assert.rejects(large.arrayBuffer(), /more than 50000 bytes/);
  // Its place is free again after each of them.
  const leaving = new AbortController();
  const left = proxy(ask(origin, `silent.git/${REFS}`, { signal: leaving.signal }));
  leaving.abort(new Error("the page was closed"));
  assert.equal((await left).status, 502);
  assert.equal((await proxy(ask(origin, `large.git/${REFS}`))).status, 200);
});

test("hosts and origins that are none are refused at the start", () => {
  /** @type {[hosts: string[], origins: string[], message: RegExp][]} */
  const bad = [
    [[], [PAGE], /hosts is empty/],
    [["github.com"], [], /origins is empty/],
    [["github.com/owner"], [PAGE], /"github\.com\/owner" is no host/],
    [["*.github.com"], [PAGE], /is no host/],
    [["github.com"], ["page.test"], /"page\.test" is no host or origin/],
  ];
  for (const [hosts, origins, message] of bad) {
    assert.throws(() => gitProxy({ hosts, origins }), message);
  }
  for (const args of [
    ["--allow-host", "github.com"],
    ["--allow-host", "a/b", "--allow-origin", PAGE],
  ]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, "proxy", ...args], {
      encoding: "utf8",
      timeout: 20_000,
    });
    assert.deepEqual([status, stdout], [2, ""], stderr);
  }
});
