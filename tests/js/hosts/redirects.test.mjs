/**
 * Repositories that have moved. Git follows a redirect of the first request, and sends all later requests to the new place.
 * It does not send credentials there.
 */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { sync } from "../../../pkg/dist/engine.js";
import { listenFor } from "../../support/network/listen.mjs";
import { both, fails, fetches, front, gitWith, repositories, works } from "./both.mjs";

/**
 * @typedef {import("./front.mjs").Asked} Asked
 * @typedef {import("./front.mjs").Habit} Habit
 */

/** @param {string} location */
const to = (location, status = 301) => ({ status, headers: { location }, body: "" });
const password = { address: (/** @type {string} */ url) => url.replace("://", "://me:s3cret@") };

/**
 * Redirects the first request for a repository's refs to `location`. Other requests for the repository get a 404.
 *
 * @param {(path: string, request: Asked) => string} location
 * @param {number} [status]
 * @returns {Habit}
 */
const moved = (location, status) => ({
  answer: async (request, pass) => {
    if (!request.url.startsWith("/old/")) return pass(request);
    if (request.method === "POST") return { status: 404, headers: {}, body: "" };
    return to(location(request.url.replace("/old/", "/"), request), status);
  },
});
const old = { address: (/** @type {string} */ url) => url.replace(/\/([^/]*)$/, "/old/$1") };

/** @type {[name: string, location: (path: string, request: Asked) => string, status?: number][]} */
const forms = [
  ["an absolute address", (path, { headers }) => `http://${headers.host}${path}`],
  ["a path", (path) => path, 302],
  ["a path without a slash", (path) => `../../..${path}`, 307],
  ["an address without a scheme", (path, { headers }) => `//${headers.host}${path}`, 308],
  ["an address with a fragment", (path) => `${path}#top`, 303],
];
for (const [name, location, status] of forms) {
  test(`a redirect to ${name} is followed, with credentials on the same host, as Git does`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    if (!name.includes("fragment")) {
      assert.deepEqual(await gitWith(t, repos, moved(location, status), old), { lists: true, pushes: true });
    }
    await both(t, repos, moved(location, status), works(repos), old);
    const address = (/** @type {string} */ url) => password.address(old.address(url));
    await both(
      t,
      repos,
      moved(location, status),
      async (what, result, destination) => {
        await works(repos)(what, result, destination);
        const sent = result.host.seen.map(({ headers }) => headers.authorization === `Basic ${btoa("me:s3cret")}`);
        assert.ok(sent.length > 1 && sent.every(Boolean), what);
      },
      { address },
    );
  });
}

test(".git is added or left out where the server wants that, as GitLab does", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  /** @type {Habit} */
  const adding = {
    answer: async (request, pass) => {
      if (request.url.includes(".git/")) return pass(request);
      if (request.method === "POST")
        return { status: 422, headers: { "content-type": "text/html" }, body: "<html></html>" };
      return to(request.url.replace(/^\/([^/]+)\//, "/$1.git/"));
    },
  };
  /** @type {Habit} */
  const removing = {
    answer: async (request, pass) => {
      const isBare = !request.url.includes(".git/");
      if (isBare) return pass({ ...request, url: request.url.replace(/^\/([^/]+)\//, "/$1.git/") });
      return to(request.url.replace(".git/", "/"));
    },
  };
  const bare = { address: (/** @type {string} */ url) => url.replace(/\.git$/, "") };
  assert.deepEqual(await gitWith(t, repos, adding, bare), { lists: true, pushes: true });
  await both(t, repos, adding, works(repos), bare);
  assert.deepEqual(await gitWith(t, repos, removing), { lists: true, pushes: true });
  await both(t, repos, removing, works(repos));
});

/**
 * A host that redirects everybody to another host. That host is open, or answers everything with this status.
 *
 * @param {import("./front.mjs").Test} t
 * @param {import("./front.mjs").Repositories} repos
 * @param {{ status?: number, isOpen?: boolean }} options
 */
async function elsewhere(t, repos, { status = 401, isOpen = false }) {
  const target = await front(t, repos, {
    answer: async (request, pass) => (isOpen ? pass(request) : { status, headers: {}, body: "" }),
  });
  // Another origin of the same host: only the port differs.
  const habit = {
    answer: async (/** @type {Asked} */ { method, url }) =>
      method === "GET" ? to(target.origin + url) : { status: 404, headers: {}, body: "" },
  };
  return { target, habit };
}

test("a redirect to another host is followed without the credentials", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const { target, habit } = await elsewhere(t, repos, { isOpen: true });
  assert.deepEqual(await gitWith(t, repos, habit), { lists: true, pushes: true });
  await both(t, repos, habit, works(repos), password);
  assert.ok(target.seen.length > 4);
  for (const { headers, at } of target.seen) assert.equal(headers.authorization, undefined, at);
});

for (const status of [401, 403, 404]) {
  test(`credentials that were not sent because of a redirect were not refused (${status})`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    const { target, habit } = await elsewhere(t, repos, { status });
    const words = [
      new RegExp(`redirects to ${target.origin}/(upstream|empty-\\d+)\\.git, which answers ${status}`),
      /were not sent there, because they are for another origin/,
      new RegExp(`use ${target.origin}/.* as the address`),
    ];
    await both(
      t,
      repos,
      habit,
      async (what, result, destination) => {
        await fails(repos, "redirected", ...words)(what, result, destination);
        assert.doesNotMatch(`${result.error?.message}`, /refused|s3cret/, what);
      },
      password,
    );
    for (const { headers, at } of target.seen) assert.equal(headers.authorization, undefined, at);
  });
}

test("nobody is asked for credentials that would go to the other host", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const plain = await front(t, repos);
  for (const fetch of Object.values(fetches(t))) {
    const { target, habit } = await elsewhere(t, repos, { status: 401 });
    const host = await front(t, repos, habit);
    const credentials = () => assert.fail("it is not asked");
    const source = { url: host.url("upstream"), credentials };
    const destination = plain.url(await repos.empty());
    const error = await sync({ source, destination, ...(fetch && { fetch }) }).catch((e) => e);
    assert.equal(error.code, "redirected", `${error}`);
    assert.match(error.message, /which answers 401: it wants a user name and password or a token/);
    assert.ok(target.seen.length > 0);
  }
});

test("a host that lists refs to everybody elsewhere, and lets nobody push there, says why", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const target = await front(t, repos, {
    answer: async (request, pass) =>
      request.method === "GET" ? pass(request) : { status: 401, headers: {}, body: "" },
  });
  const habit = {
    answer: async (/** @type {Asked} */ { method, url }) =>
      method === "GET" ? to(target.origin + url) : { status: 404, headers: {}, body: "" },
  };
  const words = [/redirects to .*, which answers 401/, /were not sent there/];
  await both(t, repos, habit, fails(repos, "redirected", ...words), password);
});

test("a POST that is redirected is an error that names where, and is not sent on, as with Git", async (t) => {
  const repos = await repositories(t);
  for (const size of [10_000, 3_000_000]) {
    await repos.noise("upstream", size);
    /** @type {string[]} */
    const reached = [];
    /** @type {Habit} */
    const habit = {
      answer: async (request, pass) => {
        if (request.url.startsWith("/new")) reached.push(request.at);
        return request.method === "POST" ? to(`/new${request.url}`, 307) : pass(request);
      },
    };
    assert.deepEqual(await gitWith(t, repos, habit), { lists: false, pushes: false });
    const words = [/redirects the request to http:\/\/127\.0\.0\.1:\d+\/new\/.*-pack/, /use its new address/];
    await both(t, repos, habit, fails(repos, "redirected", ...words));
    assert.deepEqual(reached, []);
  }
});

test("a redirect whose address has credentials is followed without them", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const habit = moved((path, { headers }) => `http://other:planted@${headers.host}${path}`);
  await both(
    t,
    repos,
    habit,
    async (what, result, destination) => {
      await works(repos)(what, result, destination);
      for (const { headers, at } of result.host.seen) assert.equal(headers.authorization, undefined, at);
    },
    { ...old, only: "the command's fetch" },
  );
});

test("redirects that go round in a circle end, and say so", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const server = createServer(({ url }, response) => response.writeHead(302, { location: url }).end());
  const origin = await listenFor(t, server);
  const circle = { address: () => `${origin}/r.git` };
  assert.deepEqual(await gitWith(t, repos, {}, circle), { lists: false, pushes: false });
  await both(t, repos, {}, fails(repos, "redirected", /redirect/), circle);
});
