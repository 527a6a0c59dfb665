// The code of the page's address, and the session that the page gets for it.
import assert from "node:assert/strict";

import { onBoth } from "../databases.mjs";
import { fields, start } from "../support.mjs";

onBoth("a code is good for one session of the organisation's admin, also if several ask at once", async (t, where) => {
  const s = await start(t, where);
  const code = await s.service.createPageCode("acme");
  assert.match(code, /^[\w-]{43}$/);
  assert.ok(!JSON.stringify(await s.sql("SELECT * FROM refsync.page_codes")).includes(code), "its hash is stored");
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => s.call("POST", "/sessions", { code }, { key: null })),
  );
  assert.deepEqual(answers.map(([status]) => status).sort(), [201, 401, 401, 401, 401, 401, 401, 401]);
  const refused = answers.find(([status]) => status === 401)?.[1];
  assert.match(refused.error.message, /used already, or is older than ten minutes/);
  const session = answers.find(([status]) => status === 201)?.[1];
  assert.deepEqual([session.name, session.scope, session.repos], ["session of the page", "admin", null]);
  assert.equal(Date.parse(session.expires_at) - Date.parse(session.created_at), 12 * 3_600_000);
  const own = { key: session.api_key };
  const me = await s.ok("GET", "/whoami", undefined, own);
  assert.deepEqual([me.org.slug, me.key_id], ["acme", session.id]);
  await s.ok("DELETE", `/acme/api-keys/${session.id}`, undefined, own);
  assert.equal((await s.call("GET", "/whoami", undefined, own))[0], 401, "signing out ends it");
});

onBoth("a code is good for ten minutes", async (t, where) => {
  const s = await start(t, where);
  const code = await s.service.createPageCode("acme");
  const [{ seconds }] = /** @type {any} */ (
    await s.sql("SELECT extract(epoch FROM expires_at - now())::int AS seconds FROM refsync.page_codes")
  );
  assert.ok(seconds > 590 && seconds <= 600, `${seconds} s`);
  await s.sql("UPDATE refsync.page_codes SET expires_at = now()");
  assert.equal((await s.call("POST", "/sessions", { code }, { key: null }))[0], 401);
  assert.equal((await s.ok("GET", "/acme/api-keys")).api_keys.length, 3, "no session was made");
  await s.service.createPageCode("acme");
  await s.sql("UPDATE refsync.page_codes SET expires_at = now() - interval '1 second'");
  await s.service.createPageCode("acme");
  assert.equal((await s.sql("SELECT 1 FROM refsync.page_codes")).length, 1, "codes that nobody used are removed");
});

onBoth("what is no code is refused", async (t, where) => {
  const s = await start(t, where);
  const ask = (/** @type {unknown} */ body) => s.call("POST", "/sessions", body, { key: null });
  for (const code of ["", "x", "\0", "k".repeat(10_000), s.keys.admin]) assert.equal((await ask({ code }))[0], 401);
  assert.deepEqual(fields(await ask({})), ["code"]);
  assert.deepEqual(fields(await ask({ code: "x", org: "acme" })), ["org"]);
  await assert.rejects(s.service.createPageCode("nothing"), { code: "NOT_FOUND" });
});
