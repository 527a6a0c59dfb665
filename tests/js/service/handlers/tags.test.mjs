// The limit on a repository's tags. It counts over all requests, not only within one.
import assert from "node:assert/strict";

import { onBoth } from "../databases.mjs";
import { fields, start } from "../support.mjs";

/**
 * @param {number} from
 * @param {number} to
 * @param {string | null} [value]
 */
function tags(from, to, value = "x") {
  const keys = Array.from({ length: to - from }, (_, n) => `key-${from + n}`);
  return Object.fromEntries(keys.map((key) => [key, value]));
}

onBoth("a repository has a hundred tags at most, however many requests set them", async (t, where) => {
  const { ok, call, sql } = await start(t, where);
  const tooMany = await call("POST", "/acme/repos", { name: "no", tags: tags(0, 101) });
  assert.deepEqual([tooMany[0], fields(tooMany)], [400, ["tags"]]);
  await ok("POST", "/acme/repos", { name: "r", tags: tags(0, 60) });
  await ok("PATCH", "/acme/r", { tags: tags(60, 100) });
  const refused = await call("PATCH", "/acme/r", { tags: tags(100, 103), default_bookmark: "other" });
  assert.deepEqual([refused[0], fields(refused)], [400, ["tags"]]);
  assert.match(refused[1].error.message, /tags: would be 103 tags; a repository has at most 100/);
  const kept = await ok("GET", "/acme/r");
  assert.deepEqual([Object.keys(kept.tags).length, kept.default_bookmark], [100, "main"], "nothing was changed");

  const replaced = await ok("PATCH", "/acme/r", { tags: { ...tags(0, 100, null), ...tags(100, 200) } });
  assert.deepEqual(replaced.tags, tags(100, 200), "all of them at once");
  assert.equal((await ok("PATCH", "/acme/r", { tags: tags(100, 200, "y") })).tags["key-100"], "y");
  assert.deepEqual(fields(await call("PATCH", "/acme/r", { tags: tags(0, 201, null) })), ["tags"]);

  const both = await Promise.all(
    [0, 40].map((from) => call("PATCH", "/acme/r", { tags: { ...tags(100, 130, null), ...tags(from, from + 40) } })),
  );
  const count = Object.keys((await ok("GET", "/acme/r")).tags).length;
  assert.ok(count <= 100, `${count} tags after two requests at once: ${both.map(([status]) => status)}`);

  // The state that an older version allowed.
  await sql(
    "UPDATE refsync.repos SET tags = (SELECT jsonb_object_agg('old-' || n, 'x') FROM generate_series(1, 150) n)",
  );
  const fewer = await ok("PATCH", "/acme/r", { tags: { "old-1": null } });
  assert.equal(Object.keys(fewer.tags).length, 149, "one that has more can lose some");
  assert.deepEqual(fields(await call("PATCH", "/acme/r", { tags: { one: "more", another: "x", "old-2": null } })), [
    "tags",
  ]);
});
