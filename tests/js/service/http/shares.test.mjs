// How much of a process one organisation can use: open streams, plans, and work.
import assert from "node:assert/strict";

import { onBoth } from "../databases.mjs";
import { eventually, silentServer, start } from "../support.mjs";

onBoth("an organisation has two hundred streams of events open, whichever keys it uses", async (t, where) => {
  const { ok, call, service, keys } = await start(t, where);
  await ok("POST", "/acme/repos", { name: "r", upstream: { url: "https://upstream.test/r" } });
  const run = await ok("POST", "/acme/r/upstream/syncs", { direction: "pull" });
  /** @param {string} key */
  const follow = (key) =>
    service.fetch(
      new Request(`http://service.test/v1/acme/r/upstream/syncs/${run.id}/events`, {
        headers: { authorization: `Bearer ${key}` },
      }),
    );
  const open = await Promise.all(Array.from({ length: 200 }, (_, n) => follow(n % 2 ? keys.read : keys.write)));
  assert.deepEqual(new Set(open.map(({ status }) => status)), new Set([200]));
  const refused = await follow(keys.admin);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
  const { error } = await refused.json();
  assert.equal(error.code, "RATE_LIMITED");
  assert.match(error.message, /this organisation has 200 streams of events under way/);

  await service.ensureOrganization("other");
  const other = await service.createApiKey("other", "admin");
  await ok("POST", "/other/repos", { name: "r", upstream: { url: "https://upstream.test/r" } }, { key: other });
  const theirs = await ok("POST", "/other/r/upstream/syncs", { direction: "pull" }, { key: other });
  const response = await service.fetch(
    new Request(`http://service.test/v1/other/r/upstream/syncs/${theirs.id}/events`, {
      headers: { authorization: `Bearer ${other}` },
    }),
  );
  assert.equal(response.status, 200, "another organisation has its own");

  await open[0]?.body?.cancel();
  const [again] = await eventuallyOpen(() => follow(keys.read));
  open.push(response, ...(again ? [again] : []));
  assert.deepEqual((await call("GET", `/acme/r/upstream/syncs/${run.id}`))[0], 200, "asking for the run is no stream");
  await Promise.all(open.slice(1).map((answer) => answer.body?.cancel()));
});

/** @param {() => Promise<Response>} follow */
async function eventuallyOpen(follow) {
  /** @type {Response[]} */
  const answers = [];
  for (let n = 0; n < 50; n += 1) {
    const answer = await follow();
    if (answer.status === 200) return [answer];
    await answer.body?.cancel();
    await new Promise((done) => setTimeout(done, 50));
  }
  return answers;
}

onBoth("an organisation has eight plans under way", async (t, where) => {
  const { ok, call } = await start(t, where);
  const silent = await silentServer(t);
  await ok("POST", "/acme/repos", { name: "r", upstream: { url: silent.url } });
  const plan = () => call("POST", "/acme/r/upstream/plan", { direction: "pull" });
  const plans = Array.from({ length: 8 }, plan);
  await eventually(() => silent.held.length === 8);
  const [status, { error }] = await plan();
  assert.equal(status, 429);
  assert.match(error.message, /8 plans under way/);
  silent.hangUp();
  assert.deepEqual(new Set((await Promise.all(plans)).map(([ended]) => ended)), new Set([503]));
  assert.equal((await plan())[0], 503, "their places are free again");
});

onBoth("an answer of many bytes counts as many calls", async (t, where) => {
  const { ok, call, sql } = await start(t, { ...where, service: { rateLimit: { perSecond: 1, burst: 40 } } });
  await ok("POST", "/acme/repos", { name: "r" });
  await sql(
    `UPDATE refsync.repos SET tags = (
       SELECT jsonb_object_agg(rpad(n::text, 256, 'k'), repeat('v', 1024)) FROM generate_series(1, 100) n)`,
  );
  // 130 KB count as three calls.
  let calls = 0;
  for (; (await call("GET", "/acme/r"))[0] === 200; calls += 1);
  assert.ok(calls >= 12 && calls <= 15, `${calls} calls were answered`);
});
