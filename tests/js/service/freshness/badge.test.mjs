// The status badge of an upstream.
import assert from "node:assert/strict";
import { test } from "node:test";

import { mirror } from "../policy/mirror.mjs";

/**
 * @param {import("node:test").TestContext} t
 */
async function badges(t) {
  const s = await mirror(t);
  const { url } = s.app.upstream;
  return {
    ...s,
    /** @param {object} changes */
    change: (changes) => s.ok("PATCH", "/acme/app", { upstream: { url, ...changes } }),
    /**
     * @param {string | null} [key]
     * @param {string} [repo]
     */
    badge: async (key = null, repo = "app", method = "GET") => {
      const headers = { accept: "image/avif,image/webp,*/*", ...(key && { authorization: `Bearer ${key}` }) };
      const request = new Request(`http://service.test/v1/acme/${repo}/upstream/badge.svg`, { method, headers });
      const response = await s.service.fetch(request);
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        says: /<title>mirror: ([^<]*)</.exec(text)?.[1],
      };
    },
  };
}

test("a badge is public only if the repository says so", async (t) => {
  const s = await badges(t);
  assert.equal(s.app.upstream.public_badge, undefined);
  const hidden = await s.badge();
  const missing = await s.badge(null, "nobody");
  assert.deepEqual([hidden.status, missing.status], [404, 404]);
  const error = (/** @type {string} */ text) => JSON.parse(text).error.message;
  assert.equal(error(hidden.text), error(missing.text), "nobody learns that there is such a repository");
  assert.match(String(hidden.headers.get("cache-control")), /no-store/);
  const own = await s.badge(s.keys.read);
  assert.equal(own.status, 200);
  assert.equal(own.headers.get("cache-control"), "private, max-age=30");
  assert.equal((await s.badge("refsync_wrong")).status, 401);

  assert.equal((await s.change({ public_badge: true })).upstream.public_badge, true);
  assert.equal((await s.change({})).upstream.public_badge, true, "it stays");
  const shown = await s.badge();
  assert.equal(shown.status, 200);
  assert.equal(shown.headers.get("content-type"), "image/svg+xml; charset=utf-8");
  assert.equal(shown.headers.get("cache-control"), "public, max-age=30");
  assert.doesNotMatch(
    shown.text,
    /href|url\(|script|http(?!:\/\/www\.w3\.org\/2000\/svg")/,
    "nothing comes from elsewhere",
  );
  assert.equal((await s.badge(null, s.app.id)).status, 200);
  assert.equal((await s.badge(null, "APP")).status, 200);
  assert.equal((await s.call("POST", "/acme/app/upstream/badge.svg"))[0], 404);
  assert.equal((await s.change({ public_badge: false })).upstream.public_badge, undefined);
  assert.equal((await s.badge()).status, 404);
  await s.change({ public_badge: true });
  await s.ok("PATCH", "/acme/app", { upstream: null });
  assert.equal((await s.badge()).status, 404, "without an upstream there is none");
});

test("a badge says the state and the age", async (t) => {
  const s = await badges(t);
  const says = async () => (await s.badge(s.keys.read)).says;
  assert.equal(await says(), "synced · 1 min", "without a max_age nothing is called fresh");
  await s.change({ max_age: "2h" });
  assert.equal(await says(), "fresh · 1 min");
  const older = (/** @type {string} */ by) =>
    s.sql(`UPDATE refsync.repos SET upstream_verified_steady = upstream_verified_steady - interval '${by}'`);
  await older("62 min");
  assert.equal(await says(), "fresh · 2 h");
  await older("60 min");
  assert.equal(await says(), "stale · 3 h");
  await s.change({ max_age: "365d", auth: null });
  await s.sync();
  assert.equal(await says(), "failing · 3 h");
  await older("3 days");
  assert.equal(await says(), "failing · 4 d");
  await s.ok("POST", "/acme/repos", { name: "new", upstream: { url: "https://upstream.test/r.git" } });
  assert.equal((await s.badge(s.keys.read, "new")).says, "never synced");
});
