// Deliveries for people: the bodies that Slack, Discord and ntfy document.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";

import { listen } from "../../../support/network/listen.mjs";
import { onBoth } from "../databases.mjs";
import { deliverAll } from "../receiver.mjs";
import { fields, start } from "../support.mjs";

/** @import { Json } from "../../../support/json.mjs" */

const all = ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed"].concat(
  ["repo.created", "repo.updated", "repo.deleted"],
  ["held", "diverged", "stale", "recovered", "paused"].map((name) => `upstream.${name}`),
);

/**
 * A receiver that keeps bodies as they are.
 *
 * @param {import("node:test").TestContext} t
 */
async function bodies(t) {
  /** @type {{ body: string, type: string | undefined, signature: string }[]} */
  const received = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { "content-type": type, "x-mesa-signature": signature } = request.headers;
    received.push({ body: Buffer.concat(chunks).toString(), type, signature: String(signature) });
    response.writeHead(204).end();
  });
  const url = `http://127.0.0.1:${await listen(server)}/hook`;
  t.after(() => server.close());
  return { url, received };
}

/** The rest of an engine whose syncs end like this. */
const ending = (/** @type {() => Json} */ end) => ({
  sync: async () => JSON.stringify(end()),
  findRef: async () => undefined,
});

onBoth("a target with a format gets sentences, signed as ever", async (t, where) => {
  const stats = {
    refs: [
      { name: "refs/heads/main", before: null, after: "a".repeat(40), outcome: "updated", reason: null, message: null },
      {
        name: "refs/heads/<b>&_c_",
        before: "b".repeat(40),
        after: "b".repeat(40),
        outcome: "rejected",
        reason: "non_fast_forward",
        message: null,
      },
    ],
  };
  let isRefused = false;
  const engine = ending(() => {
    if (isRefused)
      throw Object.assign(new Error("the upstream refused\n@everyone"), { code: "forbidden", side: "source" });
    return { stats, head: null };
  });
  const s = await start(t, { ...where, service: { engine } });
  const { url, received } = await bodies(t);
  /** @type {Record<string, string>} */
  const secrets = {};
  for (const format of ["slack", "discord", "ntfy"]) {
    const made = await s.ok("POST", "/acme/webhook-targets", { url: `${url}/${format}`, events: all, format });
    assert.equal(made.format, format);
    secrets[format] = made.secret;
  }
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "https://upstream.test/app.git" } });
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.service.tick();
  isRefused = true;
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.service.tick();
  await s.ok("PATCH", "/acme/app", { tags: { team: "web" } });
  await s.ok("DELETE", "/acme/app");
  await deliverAll(s.service);
  const sentences = [
    "acme/app was created.",
    "acme/app: a pull is queued.",
    "acme/app: a pull has begun.",
    "acme/app: a pull has completed: 1 ref updated, 1 ref rejected.",
    "acme/app: 1 ref diverged and did not move: refs/heads/<b>&_c_.",
    "acme/app: a pull is queued.",
    "acme/app: a pull has begun.",
    "acme/app: a pull has failed: source: the upstream refused @everyone",
    "acme/app was changed.",
    "acme/app was deleted.",
  ];
  const sort = (/** @type {string[]} */ list) => [...list].sort();
  const plain = received.filter(({ type }) => type?.startsWith("text/plain"));
  const failure = plain.map(({ body }) => body).find((body) => body.includes("failed"));
  assert.match(String(failure), /^acme\/app: a pull has failed: [^\n]*the upstream refused @everyone$/);
  sentences[7] = String(failure);
  assert.deepEqual(sort(plain.map(({ body }) => body)), sort(sentences));
  const json = received.filter(({ type }) => type === "application/json").map(({ body }) => JSON.parse(body));
  const slack = json.filter((body) => body.text !== undefined);
  const escaped = sentences.map((text) => text.replace("<b>&", "&lt;b&gt;&amp;"));
  assert.deepEqual(sort(slack.map(({ text }) => text)), sort(escaped));
  for (const body of slack) assert.deepEqual(Object.keys(body), ["text"]);
  const discord = json.filter((body) => body.content !== undefined);
  assert.equal(discord.length, sentences.length);
  for (const body of discord) {
    assert.deepEqual(body.allowed_mentions, { parse: [] });
    assert.ok(sentences.includes(body.content.replaceAll(/\\(.)/g, "$1")), body.content);
  }
  assert.ok(discord.some(({ content }) => content.endsWith("refs/heads/\\<b\\>&\\_c\\_.")));
  for (const { body, signature } of received) {
    const [, time, hex] = /^t=(\d+),sha256=([0-9a-f]{64})$/.exec(signature) ?? [];
    const signed = Object.values(secrets).map((secret) =>
      createHmac("sha256", secret).update(`${time}.${body}`).digest("hex"),
    );
    assert.ok(signed.includes(String(hex)), "the signature is that of the body that was sent");
  }
});

test("a long sentence is cut, within Discord's 2,000 characters", async (t) => {
  const engine = ending(() => {
    throw Object.assign(new Error("_".repeat(5_000)), { code: "forbidden", side: "source" });
  });
  const s = await start(t, { service: { engine } });
  const { url, received } = await bodies(t);
  await s.ok("POST", "/acme/webhook-targets", { url, events: ["sync.failed"], format: "discord" });
  await s.ok("POST", "/acme/repos", { name: "app", upstream: { url: "https://upstream.test/app.git" } });
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.service.tick();
  await deliverAll(s.service);
  const { content } = JSON.parse(String(received[0]?.body));
  assert.ok(content.length > 1_000 && content.length <= 2_000, `${content.length} characters`);
});

test("a format can be set, changed and removed, and an unknown one is refused", async (t) => {
  const s = await start(t);
  const url = "https://example.com/hooks";
  const made = await s.ok("POST", "/acme/webhook-targets", { url });
  assert.equal("format" in made, false, "events for programs are the default");
  assert.equal("format" in (await s.ok("POST", "/acme/webhook-targets", { url, format: null })), false);
  const path = `/acme/webhook-targets/${made.id}`;
  assert.equal((await s.ok("PATCH", path, { format: "slack" })).format, "slack");
  assert.equal((await s.ok("PATCH", path, { name: "chat" })).format, "slack");
  assert.equal((await s.ok("GET", path)).format, "slack");
  assert.equal("format" in (await s.ok("PATCH", path, { format: null })), false);
  for (const format of ["json", "Slack", "", 1, {}]) {
    for (const answer of [
      await s.call("PATCH", path, { format }),
      await s.call("POST", "/acme/webhook-targets", { url, format }),
    ]) {
      assert.deepEqual([answer[0], fields(answer)], [400, ["format"]], JSON.stringify(format));
    }
  }
  const answer = await s.call("PATCH", path, { format: "teams" });
  assert.match(answer[1].error.message, /slack, discord, ntfy/);
});
