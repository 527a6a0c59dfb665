// The attackers: hostile upstreams and webhook receivers, and a tenant that uses all of its limits.
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { hostile } from "../js/engine/hostile.mjs";
import { listen } from "../support/network/listen.mjs";
import { present } from "../support/present.mjs";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 *
 * @typedef {Awaited<ReturnType<typeof hostileUpstreams>>} HostileUpstreams
 * @typedef {import("./caller.mjs").Call} Call
 */

/**
 * The attacks of the hostile upstreams. `hostile.mjs` describes them; `echo` refuses, and repeats the credential that it
 * received.
 */
export const KINDS = /** @type {const} */ ([
  "list dribbles",
  "list without end",
  "words without end",
  "acknowledges without end",
  "commits without end",
  "pack dribbles",
  "large deltas",
  "echo",
]);

/**
 * Two upstreams of each kind, on four hosts. That is more hosts than the service has lanes, without the well-behaved
 * tenant's lane.
 */
export async function hostileUpstreams() {
  const servers = await Promise.all([hostile(), hostile(), echo(), echo()]);
  const [first, second, ...echoes] = servers;
  return {
    upstreams: KINDS.flatMap((kind) => {
      const pair = kind === "echo" ? echoes : [present(first), present(second)];
      return pair.map((server, n) => ({ name: `${kind.replaceAll(" ", "-")}-${n}`, kind, url: server.url(kind) }));
    }),
    close: () => servers.forEach((server) => void server.close()),
  };
}

/** A Git server that refuses every request. It repeats the received credential in every form that a person might print. */
async function echo() {
  const server = createServer((request, response) => {
    const sent = request.headers.authorization ?? "";
    if (sent === "") {
      response.writeHead(401, { "www-authenticate": 'Basic realm="echo"' }).end();
      return;
    }
    const plain = Buffer.from(sent.replace(/^Basic /, ""), "base64").toString();
    const password = plain.slice(plain.indexOf(":") + 1);
    const said = [sent, plain, password, encodeURIComponent(password), JSON.stringify(password)].join("\n");
    response.writeHead(422, { "content-type": "text/plain" }).end(said);
  });
  const port = await listen(server);
  return {
    url: () => `http://127.0.0.1:${port}/x.git`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @type {Record<string, (request: IncomingMessage, response: ServerResponse) => void>} */
const receivers = {
  /** Never answers. */
  hangs: () => {},
  /** Answers one byte at a time. */
  dribbles: async (_, response) => {
    response.writeHead(200);
    while (!response.destroyed) {
      response.write("x");
      await delay(500, undefined, { ref: false });
    }
  },
  /** Answers without end. */
  floods: async (_, response) => {
    response.writeHead(500);
    while (!response.destroyed) {
      if (!response.write(Buffer.alloc(65_536, "x"))) await delay(5);
    }
  },
  redirects: (_, response) => void response.writeHead(307, { location: "/redirects" }).end(),
  "hangs up": (request) => void request.socket.destroy(),
};

/** A server of webhook receivers, each of which does one of these things. */
export async function hostileReceivers() {
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? "").slice(1));
    present(receivers[name])(request, response);
  });
  const port = await listen(server);
  return {
    urls: Object.keys(receivers).map((name) => `http://127.0.0.1:${port}/${encodeURIComponent(name)}`),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Starts a new run of each upstream whenever one ends, and sometimes a plan, until the signal fires.
 *
 * @param {{ call: Call, names: string[], signal: AbortSignal, keep: (text: string) => void }} options
 */
export async function pullForEver({ call, names, signal, keep }) {
  const counts = { runs: 0, plans: 0 };
  const one = async (/** @type {string} */ name) => {
    while (!signal.aborted) {
      const { status, body } = await call("POST", `/${name}/upstream/syncs`, { direction: "pull" });
      if (status === 201) counts.runs += 1;
      for (let ended = status >= 400; !ended && !signal.aborted; ) {
        await delay(500);
        const run = await call("GET", `/${name}/upstream/syncs/${body.id}`);
        keep(JSON.stringify(run.body));
        ended = ["completed", "failed"].includes(run.body.status);
      }
      if (Math.random() < 0.2 && !signal.aborted) {
        keep(JSON.stringify(await call("POST", `/${name}/upstream/plan`, { direction: "pull" })));
        counts.plans += 1;
      }
      await delay(200);
    }
  };
  await Promise.all(names.map(one));
  return counts;
}

/**
 * A tenant at its limits: lists, streams of events, slow bodies, and bodies that are not JSON, a few dozen at the same
 * time.
 *
 * @param {{ url: string, org: string, key: string, names: string[], signal: AbortSignal }} options
 */
export async function askForEverything({ url, org, key, names, signal }) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  let calls = 0;
  /** @param {() => Promise<unknown>} ask */
  const lane = async (ask) => {
    while (!signal.aborted) {
      await ask().catch(() => {});
      calls += 1;
      await delay(20);
    }
  };
  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  const ask = async (path, init) => {
    const options = { headers, ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) };
    const response = await fetch(`${url}/v1/${org}${path}`, options);
    await response.arrayBuffer();
  };
  const name = () => present(names[Math.floor(Math.random() * names.length)]);
  const dribble = () =>
    new ReadableStream({
      async pull(controller) {
        await delay(1000, undefined, { ref: false });
        controller.enqueue(Buffer.from(" "));
      },
    });
  const lanes = [
    ...Array.from({ length: 8 }, () => lane(() => ask("/repos?limit=100"))),
    ...Array.from({ length: 8 }, () => lane(() => ask(`/${name()}/upstream/syncs?limit=100`))),
    ...Array.from({ length: 20 }, () => lane(() => follow(`${url}/v1/${org}`, headers, name(), signal))),
    ...Array.from({ length: 4 }, () =>
      lane(() => ask("/repos", { method: "POST", body: `{"name": "${"x".repeat(900_000)}` })),
    ),
    ...Array.from({ length: 4 }, () => lane(() => ask("/repos", { method: "POST", body: dribble(), duplex: "half" }))),
  ];
  await Promise.all(lanes);
  return calls;
}

/**
 * Follows the events of a repository's last run for a few seconds.
 *
 * @param {string} base
 * @param {Record<string, string>} headers
 * @param {string} name
 * @param {AbortSignal} signal
 */
async function follow(base, headers, name, signal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(5000)]);
  const response = await fetch(`${base}/${name}/upstream/syncs?limit=1`, { headers, signal: limit });
  const { syncs = [], items = syncs } = /** @type {import("../support/json.mjs").Json} */ (await response.json());
  const [run] = items;
  const events = await fetch(`${base}/${name}/upstream/syncs/${run.id}/events`, {
    headers: { ...headers, accept: "text/event-stream" },
    signal: limit,
  });
  await events.arrayBuffer();
}
