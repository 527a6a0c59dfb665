// Webhooks with the contract's signatures. Node's own HMAC makes the signatures.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { isKnown, signTestPayload, WebhookError, Webhooks } from "refsync/webhooks";

import { present } from "../../support/present.mjs";

const SECRET = "whsec_one";

const event = (over = {}) => ({
  id: "evt_1",
  type: "sync.failed",
  occurred_at: "2026-11-23T01:00:00Z",
  organization: { id: "o", slug: "acme", name: "Acme" },
  repository: { id: "r", name: "app", url: "https://h/acme/app.git" },
  data: { sync: { id: "s1", status: "failed", error: "no", stats: null } },
  ...over,
});

/**
 * @param {unknown} body
 * @param {{ secret?: string, at?: number, header?: string }} [how]
 */
function signed(body, { secret = SECRET, at = Date.now() / 1000, header } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const time = Math.floor(at);
  const mac = createHmac("sha256", secret).update(`${time}.${text}`).digest("hex");
  return new Request("http://h/hook", {
    method: "POST",
    headers: { "x-mesa-signature": header ?? `t=${time},sha256=${mac}` },
    body: text,
  });
}

/** @param {string} code */
const refused = (code) => (/** @type {unknown} */ error) => error instanceof WebhookError && error.code === code;

test("an event reaches the handler of its type", async () => {
  /** @type {string[]} */
  const seen = [];
  const webhooks = new Webhooks({
    secret: SECRET,
    on: { "sync.failed": ({ data }) => void seen.push(data.sync.error), other: () => assert.fail("it has its own") },
  });
  const received = present(await webhooks.receive(signed(event())));
  assert.ok(isKnown(received));
  assert.deepEqual(seen, ["no"]);
  assert.deepEqual(received, event());
});

test("an event of tomorrow passes through to other", async () => {
  /** @type {string[]} */
  const seen = [];
  const webhooks = new Webhooks({ secret: SECRET, on: { other: ({ type }) => void seen.push(type) } });
  for (const type of ["change.created", "constructor"]) {
    const received = present(await webhooks.receive(signed(event({ id: type, type, data: { a: 1 } }))));
    assert.equal(isKnown(received), false);
  }
  assert.deepEqual(seen, ["change.created", "constructor"]);
});

test("a repeated id is dropped, and handled again where its handler failed", async () => {
  let calls = 0;
  const webhooks = new Webhooks({
    secret: SECRET,
    on: {
      "sync.failed": async () => {
        calls += 1;
        if (calls === 1) throw new RangeError("the disk is full");
      },
    },
  });
  await assert.rejects(webhooks.receive(signed(event())), { message: "the disk is full" });
  assert.ok(await webhooks.receive(signed(event())));
  assert.equal(await webhooks.receive(signed(event())), null);
  assert.equal(calls, 2);
});

test("no more ids are remembered than asked for", async () => {
  const webhooks = new Webhooks({ secret: SECRET, remember: 2 });
  for (const id of ["a", "b", "c"]) assert.ok(await webhooks.receive(signed(event({ id }))));
  assert.equal(await webhooks.receive(signed(event({ id: "c" }))), null);
  assert.ok(await webhooks.receive(signed(event({ id: "a" }))), "the oldest is forgotten");
});

test("each of several secrets is good during a rotation", async () => {
  const webhooks = new Webhooks({ secret: ["whsec_two", SECRET] });
  assert.ok(await webhooks.receive(signed(event({ id: "a" }))));
  assert.ok(await webhooks.receive(signed(event({ id: "b" }), { secret: "whsec_two" })));
  await assert.rejects(webhooks.receive(signed(event({ id: "c" }), { secret: "three" })), refused("SIGNATURE_WRONG"));
});

test("the clock may be off by 300 seconds, either way", async () => {
  const webhooks = new Webhooks({ secret: SECRET });
  const now = Date.now() / 1000;
  for (const { offset, id } of [
    { offset: -290, id: "a" },
    { offset: 290, id: "b" },
  ])
    assert.ok(await webhooks.receive(signed(event({ id }), { at: now + offset })));
  await assert.rejects(webhooks.receive(signed(event(), { at: now - 310 })), refused("TOO_OLD"));
  await assert.rejects(webhooks.receive(signed(event(), { at: now + 310 })), refused("TOO_NEW"));
});

test("what is not signed, signed wrongly, or changed on its way is refused", async () => {
  const webhooks = new Webhooks({ secret: SECRET });
  const time = Math.floor(Date.now() / 1000);
  for (const header of [
    "",
    "t=1",
    `t=${time},sha256=`,
    `t=${time},sha256=zz`,
    "sha256=00",
    `t=x,sha256=${"0".repeat(64)}`,
  ])
    await assert.rejects(webhooks.receive(signed(event(), { header })), refused("SIGNATURE_MISSING"), header);
  const header = `t=${time},sha256=${"0".repeat(64)}`;
  await assert.rejects(webhooks.receive(signed(event(), { header })), refused("SIGNATURE_WRONG"));
  const good = present(signed(event()).headers.get("x-mesa-signature"));
  await assert.rejects(webhooks.receive(signed(event({ id: "other" }), { header: good })), refused("SIGNATURE_WRONG"));
  const later = good.replace(/t=\d+/, `t=${time + 1}`);
  await assert.rejects(webhooks.receive(signed(event(), { header: later })), refused("SIGNATURE_WRONG"));
  for (const body of ["", "null", "[]", "{}", "{", '{"id":"a","type":"b"}'])
    await assert.rejects(webhooks.receive(signed(body)), refused("INVALID_BODY"), body);
});

test("respond answers as the sender has to understand it", async () => {
  const webhooks = new Webhooks({
    secret: SECRET,
    on: {
      other: () => {
        throw new Error("secret words");
      },
    },
  });
  /** @param {Request} request */
  const status = async (request) => (await webhooks.respond(request)).status;
  assert.equal(await status(signed(event())), 500, "so that it is sent again");
  assert.equal(await status(signed(event(), { secret: "x" })), 401);
  assert.equal(await status(signed("{}")), 400);
  assert.equal(await status(new Request("http://h", { method: "POST", body: "{}" })), 401);
  const quiet = new Webhooks({ secret: SECRET });
  for (const time of ["first", "again"]) assert.equal((await quiet.respond(signed(event()))).status, 204, time);
});

test("a receiver without a secret is not made", () => {
  for (const secret of ["", [], [""]]) assert.throws(() => new Webhooks({ secret }), TypeError);
  // @ts-expect-error: as a variable that is not set
  assert.throws(() => new Webhooks({ secret: undefined }), TypeError);
});

test("verify checks a raw body of any kind against the header, and calls no handler", async () => {
  const webhooks = new Webhooks({
    secret: SECRET,
    on: { "sync.failed": () => assert.fail("verify calls no handler") },
  });
  const text = JSON.stringify(event());
  const header = await signTestPayload(text, SECRET);
  const bytes = new TextEncoder().encode(text);
  for (const body of [text, bytes, bytes.buffer, Buffer.from(text)]) {
    assert.deepEqual(await webhooks.verify(body, header), event());
  }
  await assert.rejects(webhooks.verify(`${text} `, header), refused("SIGNATURE_WRONG"));
  for (const none of [undefined, null, ""])
    await assert.rejects(webhooks.verify(text, none), refused("SIGNATURE_MISSING"));
});

test("a test payload has the signature that Node's own HMAC makes", async () => {
  const timestamp = 1_700_000_000;
  const payload = "{\u00e4}";
  const mac = createHmac("sha256", SECRET).update(`${timestamp}.${payload}`).digest("hex");
  assert.equal(await signTestPayload(payload, SECRET, { timestamp }), `t=${timestamp},sha256=${mac}`);
  const webhooks = new Webhooks({ secret: SECRET });
  await assert.rejects(
    webhooks.verify(payload, await signTestPayload(payload, SECRET, { timestamp })),
    refused("TOO_OLD"),
  );
});

test("onError hears of a handler that throws; without it the error is printed", async (t) => {
  const broken = new RangeError("the disk is full");
  const on = {
    other: () => {
      throw broken;
    },
  };
  /** @type {unknown[][]} */
  const heard = [];
  const webhooks = new Webhooks({ secret: SECRET, on, onError: (...said) => void heard.push(said) });
  assert.equal((await webhooks.respond(signed(event()))).status, 500);
  assert.deepEqual(heard, [[broken, event()]]);
  assert.equal((await webhooks.respond(signed("{}"))).status, 400);
  assert.equal(heard.length, 1, "a wrong request is no error of a handler");

  const printed = t.mock.method(console, "error", () => {});
  await new Webhooks({ secret: SECRET, on }).respond(signed(event()));
  assert.deepEqual(printed.mock.calls[0]?.arguments, ["webhook evt_1 (sync.failed):", broken]);
  // @ts-expect-error: not a function
  assert.throws(() => new Webhooks({ secret: SECRET, onError: 5 }), /Webhooks: onError must be a function/);
});
