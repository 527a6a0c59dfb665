/** Hosts that show a sign-in page where Git expects a 401. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { sync } from "../../../pkg/dist/engine.js";
import { listenFor } from "../../support/network/listen.mjs";
import { both, fails, fetches, front, gitWith, repositories, works } from "./both.mjs";

const PAGE =
  '<!doctype html><html><head><title>Forge</title></head><body><form><input type="password"></form></body></html>';
const html = { "content-type": "text/html; charset=utf-8" };
/**
 * @typedef {import("./front.mjs").Asked} Asked
 * @typedef {import("./front.mjs").Habit} Habit
 */

/** @param {number} status */
/** @param {number} status */
const page = (status) => ({ status, headers: html, body: PAGE });

/** @param {Asked} request */
const isPost = ({ method }) => method === "POST";
/** @param {Asked} request */
const isRefs = ({ url }) => url.includes("/info/refs");
/**
 * Answers some requests this way, and forwards the others.
 *
 * @param {(request: Asked) => boolean} condition
 * @param {(request: Asked) => import("./front.mjs").Answer} answer
 * @returns {Habit}
 */
const answering = (condition, answer) => ({
  answer: async (request, pass) => (condition(request) ? answer(request) : pass(request)),
});
const everything = () => true;

/**
 * A separate server with the sign-in page, like a company's single sign-on.
 *
 * @param {import("./front.mjs").Test} t
 */
async function signOn(t) {
  const server = createServer((_, response) => response.writeHead(200, html).end("<html><h1>Welcome</h1></html>"));
  return listenFor(t, server);
}

const wanted = /it wants a user name and password or a token/;
const refused = /it does not accept the user name and password or token, which may have expired/;

/** @type {[name: string, condition: (request: Asked) => boolean, answer: () => import("./front.mjs").Answer][]} */
const habits = [
  ["answers 200 with a page", everything, () => page(200)],
  ["answers 203 with a page, as Azure DevOps does", everything, () => page(203)],
  ["answers 203 without a word", everything, () => ({ status: 203, headers: {}, body: "" })],
  ["lists refs, and answers a POST with 200 and a page", isPost, () => page(200)],
  ["lists refs, and answers a POST with 203 and a page", isPost, () => page(203)],
];
for (const [name, condition, habit] of habits) {
  test(`a host that ${name}: the error says that it is a sign-in page, and where`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    const git = await gitWith(t, repos, answering(condition, habit));
    assert.equal(git.pushes, false);
    const where = /sign-in page \(http:\/\/127\.0\.0\.1:\d+\/(upstream|empty-\d+)\.git\//;
    await both(t, repos, answering(condition, habit), fails(repos, "unauthorized", where, wanted));
    const signedIn = { address: (/** @type {string} */ url) => url.replace("://", "://me:0ld-token@") };
    /** @type {import("./both.mjs").Check} */
    const check = async (what, result, destination) => {
      await fails(repos, "unauthorized", where, refused)(what, result, destination);
      assert.doesNotMatch(`${result.error?.message}`, /0ld-token|not a Git repository/);
    };
    await both(t, repos, answering(condition, habit), check, signedIn);
  });
}

for (const { path, place } of [
  { path: "/users/sign_in?return_to=secret", place: /\/users\/sign_in\)/ },
  { path: "/login", place: /\/login\)/ },
]) {
  test(`a redirect to ${path} on the same host is a sign-in page`, async (t) => {
    const repos = await repositories(t);
    await repos.create("upstream", 12);
    const redirect = { status: 302, headers: { location: path }, body: "" };
    const habit = answering(everything, ({ url }) => (url === path ? page(200) : redirect));
    assert.deepEqual(await gitWith(t, repos, habit), { lists: false, pushes: false });
    await both(t, repos, habit, async (what, result, destination) => {
      await fails(repos, "unauthorized", place, wanted)(what, result, destination);
      assert.doesNotMatch(`${result.error?.message}`, /secret/, "a query may hold secrets");
    });
  });
}

test("a redirect to a sign-on server is a sign-in page, on the refs and on a POST, small or large", async (t) => {
  const repos = await repositories(t);
  const sso = await signOn(t);
  const redirect = () => ({ status: 302, headers: { location: `${sso}/saml/login?to=1` }, body: "" });
  const place = new RegExp(`sign-in page \\(${sso}/saml/login\\)`);
  await repos.create("upstream", 12);
  for (const condition of [isRefs, isPost, everything]) {
    await both(t, repos, answering(condition, redirect), async (what, result, destination) => {
      // A source's first request is a POST that succeeds.
      if (condition === isRefs && result.side === "source") return works(repos)(what, result, destination);
      await fails(repos, "unauthorized", place, wanted)(what, result, destination);
    });
  }
  await repos.noise("upstream", 3_000_000);
  await both(t, repos, answering(isPost, redirect), fails(repos, "unauthorized", place, wanted));
});

test("another page is not called a sign-in page, but named", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const other = answering(everything, () => ({
    status: 200,
    headers: html,
    body: "<html><h1>Our projects</h1></html>",
  }));
  const words = [
    /answers with a page \(text\/html from http:\/\/127/,
    /if this is a sign-in page/,
    /missing or have expired/,
  ];
  await both(t, repos, other, fails(repos, "not_a_git_server", ...words));
});

test("credentials are asked for where a sign-in page comes, and the sync goes on", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const isStranger = (/** @type {Asked} */ { headers }) => headers.authorization !== `Basic ${btoa("me:token")}`;
  const plain = await front(t, repos);
  for (const fetch of Object.values(fetches(t))) {
    const host = await front(
      t,
      repos,
      answering(isStranger, () => page(203)),
    );
    /** @type {string[]} */
    const asked = [];
    const credentials = (/** @type {string} */ url) => {
      asked.push(url);
      return { username: "me", password: "token" };
    };
    const destination = await repos.empty();
    const source = { url: host.url("upstream"), credentials };
    await sync({ source, destination: plain.url(destination), ...(fetch && { fetch }) });
    assert.equal(await repos.refs(destination), await repos.refs("upstream"));
    const mirror = await repos.empty();
    await sync({
      source: plain.url("upstream"),
      destination: { url: host.url(mirror), credentials },
      ...(fetch && { fetch }),
    });
    assert.equal(await repos.refs(mirror), await repos.refs("upstream"));
    assert.deepEqual(asked, [host.url("upstream"), host.url(mirror)]);
  }
});

test("a server that offers no Basic authentication is told so", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const asking = (/** @type {string[]} */ ...values) =>
    answering(everything, () => ({ status: 401, headers: { "www-authenticate": values }, body: "" }));
  await both(t, repos, asking("Negotiate"), fails(repos, "unauthorized", /offers Negotiate only/));
  /** @type {import("./both.mjs").Check} */
  const isUsual = async (what, { error }) => {
    assert.match(`${error?.message}`, /wants a user name and password or a token \(401\)$/, what);
  };
  await both(t, repos, asking("Negotiate", 'basic realm="x"'), isUsual);
  await both(t, repos, asking('Bearer realm="a, b", Basic realm="x"'), isUsual);
});

test("hosts that tell Git from a browser by its name see a Git", async (t) => {
  const repos = await repositories(t);
  await repos.create("upstream", 12);
  const isBrowser = (/** @type {Asked} */ { headers }) => !headers["user-agent"]?.startsWith("git/");
  assert.deepEqual(
    await gitWith(
      t,
      repos,
      answering(isBrowser, () => page(200)),
    ),
    { lists: true, pushes: true },
  );
  await both(
    t,
    repos,
    answering(isBrowser, () => page(200)),
    works(repos),
  );
});
