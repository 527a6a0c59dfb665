// The addresses that upstreams and webhooks must not use: every form of a non-public address. A listener on every address
// of this machine counts the connections.

import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { test } from "node:test";

import { guardedFetch, serve } from "refsync/node";

/** @typedef {Awaited<ReturnType<typeof guarded>>} Guarded */

import { portOf } from "../../../support/network/listen.mjs";
import { start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { GuardedFetch } from "refsync/node"
 */

/**
 * Counts the connections to a port, on every IPv4 and IPv6 address of this machine.
 *
 * @param {TestContext} t
 */
async function counter(t) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  /** @param {string} host */
  const listen = async (host) => {
    server.listen({ host, port: 0 });
    await once(server, "listening");
  };
  await listen("::").catch(() => listen("0.0.0.0"));
  t.after(() => server.close());
  return { port: portOf(server), connections: () => connections };
}

const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const hosts = [
  ...["127.0.0.1", "127.1", "127.255.255.254", "0.0.0.0", "0"],
  ...["2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0x7f.0.0.0x1"],
  ...["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]"],
  ...["[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]"],
  ...["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "0xa9fea9fe", "2852039166"],
  ...["localhost", "LOCALHOST", hostname()],
  // URLs treat full-width digits and dots as digits and dots.
  ...["１２７.0.0.1", "127。0。0。1"],
  ...own.filter(({ family }) => family === "IPv4").map(({ address }) => address),
];

/**
 * A service that reaches only the addresses that `fetch` allows, with a repository and a webhook target.
 *
 * @param {TestContext} t
 * @param {GuardedFetch} [fetch]
 */
async function guarded(t, fetch = guardedFetch()) {
  t.after(() => fetch.close());
  const s = await start(t, { service: { fetch } });
  await s.ok("POST", "/acme/repos", { name: "app" });
  const url = "https://hooks.example.com";
  const target = await s.ok("POST", "/acme/webhook-targets", { url, events: ["sync.queued"] });
  return { ...s, target };
}

/**
 * The refusal of a URL when it is set; null if the URL is accepted.
 *
 * @param {Guarded} s
 * @param {string} path
 * @param {object} body
 * @returns {Promise<string | null>}
 */
async function refusedAtOnce(s, path, body) {
  const [status, answer] = await s.call("PATCH", path, body);
  if (status === 200) return null;
  assert.equal(status, 400, JSON.stringify(answer));
  return answer.error.details.fields[0].message;
}

/**
 * Why a sync, a plan and a webhook delivery to this origin fail.
 *
 * @param {Guarded} s
 * @param {string} origin
 */
async function refusals(s, origin) {
  const atOnce = [
    await refusedAtOnce(s, "/acme/app", { upstream: { url: `${origin}/v1/x.git` } }),
    await refusedAtOnce(s, `/acme/webhook-targets/${s.target.id}`, { url: `${origin}/v1/hook` }),
  ];
  if (atOnce.every((refusal) => refusal !== null)) return atOnce;
  assert.deepEqual(atOnce, [null, null], `${origin}: both are URLs, or none is`);
  const { id } = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  s.lines.length = 0;
  while (await s.service.deliver());
  const webhook = s.lines.join("\n");
  await s.sql("DELETE FROM refsync.webhook_deliveries");
  while (await s.service.tick());
  const run = await s.ok("GET", `/acme/app/upstream/syncs/${id}`);
  assert.equal(run.status, "failed", `${origin}: no other attempt would help: ${JSON.stringify(run)}`);
  const [status, plan] = await s.call("POST", "/acme/app/upstream/plan", { direction: "pull" });
  assert.equal(status, 409, JSON.stringify(plan));
  return [run.error, plan.error.message, webhook];
}

const refused = /is not a public address; the operator can allow it|needs a host name|character that a URL cannot have/;

test("no form of an address that is not public is connected to, by a sync, a plan or a webhook", async (t) => {
  const s = await guarded(t);
  const { port, connections } = await counter(t);
  for (const host of hosts) {
    for (const refusal of await refusals(s, `http://${host}:${port}`)) assert.match(refusal, refused, host);
    assert.equal(connections(), 0, `${host}: a packet was sent`);
  }
});

test("the counter would have seen a connection", async (t) => {
  const { port, connections } = await counter(t);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  assert.equal(connections(), 1);
});

test("a name whose answers change is connected to at the address that was checked, or not at all", async (t) => {
  const { port, connections } = await counter(t);
  /** @type {string[]} */
  const answers = [];
  // The test cannot change the system's resolver. It simulates these answers: the first one is public, and all later ones
  // are this machine.
  /**
   * @param {string} name
   * @param {import("node:dns").LookupAllOptions | import("node:dns").LookupOneOptions} options
   * @param {(error: null, address: string | import("node:dns").LookupAddress[], family: number) => void} callback
   */
  const lookup = (name, options, callback) => {
    const address = answers.length === 0 ? "192.0.2.1" : "127.0.0.1";
    answers.push(address);
    assert.equal(name, "rebind.example.com");
    callback(null, options.all ? [{ address, family: 4 }] : address, 4);
  };
  t.mock.method(dns, "lookup", lookup);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const s = await guarded(t, guardedFetch({ allow: ["192.0.2.0/24"] }));
  const origin = `http://rebind.example.com:${port}`;
  await s.ok("PATCH", "/acme/app", { upstream: { url: `${origin}/x.git` } });
  await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  const first = s.service.tick();
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  // A run begins with two requests. 192.0.2.1 does not answer, so the test ends the run (or a network refuses the
  // connection at once, and the run tries again). A second look-up after the check, or an unchecked second answer, would
  // have led to this machine.
  await s.service.stop();
  await first;
  assert.equal(connections(), 0, `connected to an address that was not checked: ${answers}`);

  const again = await guarded(t, guardedFetch({ allow: ["192.0.2.0/24"] }));
  for (const refusal of await refusals(again, origin)) {
    assert.match(refusal, /rebind\.example\.com has the address 127\.0\.0\.1, which is not a public address/);
  }
  assert.equal(connections(), 0);
});

test("a redirect to such an address is refused", async (t) => {
  const { port, connections } = await counter(t);
  for (const target of ["127.0.0.2", "[::1]", "0x7f000002", "2130706434", "169.254.169.254"]) {
    const seen = [];
    const listener = await serve({
      service: {
        async fetch(request) {
          seen.push(request.url);
          return new Response(null, {
            status: 302,
            headers: { location: `http://${target}:${port}${new URL(request.url).pathname}` },
          });
        },
      },
    });
    t.after(() => listener.close(0));
    const s = await guarded(t, guardedFetch({ allow: ["127.0.0.1/32"] }));
    // The listener answers only Git's paths and those below /v1.
    const [run, plan, webhook] = await refusals(s, listener.url);
    for (const refusal of [run, plan]) assert.match(refusal, /is not a public address/, target);
    assert.match(webhook, /redirected to/, "a delivery follows no redirect, wherever it leads");
    assert.ok(seen.length > 2, "the first server was asked by each");
    assert.equal(connections(), 0, target);
  }
});
