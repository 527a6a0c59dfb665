// A service under attack. It has 16 hostile upstreams of eight kinds, hostile webhook receivers, and a tenant at its
// limits. A well-behaved tenant beside them must not notice.
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { guardedFetch, openDataFolder, openEmbedded } from "refsync/node";
import { Service } from "refsync/service";

import { Member } from "../soak/cluster.mjs";
import { gitServer } from "../support/git/git-server.mjs";
import { listen } from "../support/network/listen.mjs";
import { present } from "../support/present.mjs";
import { caller } from "./caller.mjs";

/**
 * @import { Json } from "../support/json.mjs"
 * @import { Call } from "./caller.mjs"
 * @import { Ready, Told } from "./attackers-process.mjs"
 *
 * @typedef {object} Outcome
 * @property {number} runs Runs of hostile upstreams that were queued.
 * @property {number} calls Calls of the tenant at its limits.
 * @property {number} healthP99 Milliseconds that `/healthz` took, at the 99th percentile.
 * @property {number} syncs Syncs of the well-behaved tenant that completed.
 * @property {number} slowestStart Milliseconds from a sync's creation to its start.
 * @property {number} slowestWebhook Milliseconds from a sync's end to its webhook.
 * @property {number} peak The most resident memory, in bytes.
 * @property {string[]} violations The broken promises.
 */

/** Runs at a time: the default of `refsync serve`. */
const CONCURRENCY = 4;
/** The promises of the issue about attacks, in milliseconds and bytes. */
export const LIMITS = {
  health: 200,
  start: 5000,
  webhook: 2000,
  memory: (CONCURRENCY * 300 + 400) * 1_000_000,
};

/**
 * Attacks a service of its own for this many seconds.
 *
 * @param {{ seconds: number, say?: (line: string) => void }} options
 * @returns {Promise<Outcome>}
 */
export async function attack({ seconds, say = () => {} }) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-attack-"));
  const data = join(folder, "data");
  const keys = await prepare(data);
  const attackers = fork(new URL("attackers-process.mjs", import.meta.url));
  const ended = once(attackers, "exit").then(async ([code, signal]) => {
    // The report may still be on its way.
    await delay(30_000, undefined, { ref: false });
    throw new Error(`the attackers ended (${code ?? signal}) without a report`);
  });
  ended.catch(() => {});
  const [[{ upstreams, receivers }], good, inbox] = await Promise.all([
    /** @type {Promise<[Ready]>} */ (once(attackers, "message")),
    gitServer(),
    receiver(),
  ]);
  const serve = new Member(["serve", "--port", "0", "--data", data, "--concurrency", `${CONCURRENCY}`]);
  const planted = Object.fromEntries(upstreams.map(({ name }) => [name, secret(name)]));
  const goodToken = secret("good");
  const over = new AbortController();
  /** @type {string[]} */
  const log = [];
  serve.onSaid = (text) => void log.push(text);
  try {
    await serve.start();
    const pid = present(serve.pid);
    const { url } = /** @type {{ url: string }} */ (present(serve.first));
    const [calm, hostile] = [caller(url, "calm", keys.calm), caller(url, "hostile", keys.hostile)];
    await good.create("good", { token: goodToken });
    await good.commit("good", "first");
    const auth = { kind: "token", token: goodToken };
    await must(calm, "POST", "/repos", { name: "app", upstream: { url: `${good.origin}/git/good.git`, auth } });
    await must(calm, "POST", "/webhook-targets", { url: inbox.url, events: ["sync.completed", "sync.failed"] });
    for (const target of receivers) {
      const events = ["sync.queued", "sync.in_progress", "sync.completed", "sync.failed"];
      await must(hostile, "POST", "/webhook-targets", { url: target, events });
    }
    for (const { name, url: address } of upstreams) {
      const token = { kind: "token", token: planted[name] };
      await must(hostile, "POST", "/repos", { name, upstream: { url: address, auth: token } });
    }
    say(`${upstreams.length} hostile upstreams, ${receivers.length} hostile receivers, ${seconds} s`);

    const { signal } = over;
    attackers.send({ url, org: "hostile", key: keys.hostile });
    const watchers = Promise.all([
      health(url, signal),
      peakMemory(pid, signal),
      wellBehaved({ calm, good, inbox, signal }),
    ]);
    const died = processEnd(serve, signal);
    await Promise.race([delay(seconds * 1000), died, watchers]);
    over.abort();
    const [times, peak, tenant] = await watchers;
    const told = /** @type {Promise<[Told]>} */ (once(attackers, "message"));
    attackers.send("stop");
    const [{ runs, calls, texts }] = await Promise.race([told, ended]);
    texts.push(log.join(""), ...inbox.bodies, JSON.stringify(await calm("GET", "/repos")));
    const healthP99 = percentile(times, 0.99);
    const slowestStart = Math.max(...tenant.starts);
    const slowestWebhook = Math.max(...tenant.webhooks);
    const leaks = leaked(texts, { ...planted, good: goodToken });
    const isAlive =
      present(serve).pid === pid &&
      (await fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ));
    return {
      runs,
      calls,
      healthP99,
      syncs: tenant.starts.length,
      slowestStart,
      slowestWebhook,
      peak,
      violations: [
        ...(isAlive ? [] : [`the service ended: ${serve.said}`]),
        ...tenant.failures,
        ...leaks,
        ...above("/healthz at the 99th percentile", healthP99, LIMITS.health, "ms"),
        ...above("the start of a sync", slowestStart, LIMITS.start, "ms"),
        ...above("a webhook", slowestWebhook, LIMITS.webhook, "ms"),
        ...above("memory", peak / 1e6, LIMITS.memory / 1e6, "MB"),
      ],
    };
  } finally {
    over.abort();
    await serve.end("SIGKILL");
    attackers.kill();
    inbox.close();
    await good.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Makes two organisations and their keys in a data folder that nobody serves yet.
 *
 * @param {string} data
 */
async function prepare(data) {
  const folder = await openDataFolder(data);
  const database = await openEmbedded(folder.database);
  const fetch = guardedFetch();
  const keyless = () => Promise.reject(new Error("there are no repositories yet"));
  const git = { create: keyless, remove: keyless, setHead: keyless, fetch: keyless };
  const service = new Service({ database, git, fetch, secretKey: folder.secretKey });
  await service.migrate();
  for (const org of ["calm", "hostile"]) await service.ensureOrganization(org);
  const keys = {
    calm: await service.createApiKey("calm", "admin"),
    hostile: await service.createApiKey("hostile", "admin"),
  };
  fetch.close();
  await database.close();
  await folder.release();
  return keys;
}

/**
 * @param {Call} call
 * @param {Parameters<Call>} args
 * @returns {Promise<Json>}
 */
async function must(call, ...args) {
  const { status, body } = await call(...args);
  if (status === 0 || status >= 400) throw new Error(`${args[0]} ${args[1]}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/**
 * The tenant who must not notice: its upstream moves on, it syncs, and its webhook arrives. Returns the times in
 * milliseconds.
 *
 * @param {{ calm: Call, good: Awaited<ReturnType<typeof gitServer>>, inbox: Awaited<ReturnType<typeof receiver>>, signal: AbortSignal }} options
 */
async function wellBehaved({ calm, good, inbox, signal }) {
  const result = {
    starts: /** @type {number[]} */ ([]),
    webhooks: /** @type {number[]} */ ([]),
    failures: /** @type {string[]} */ ([]),
  };
  for (let n = 0; !signal.aborted; n += 1) {
    const after = await good.commit("good", `commit ${n}`);
    const created = await calm("POST", "/app/upstream/syncs", { direction: "pull" });
    if (created.status !== 201) {
      result.failures.push(`a sync was not queued: ${created.status} ${JSON.stringify(created.body)}`);
      break;
    }
    const run = await end(calm, `/app/upstream/syncs/${created.body.id}`);
    const moved = run.stats?.refs?.find((/** @type {Json} */ ref) => ref.name === "refs/heads/main")?.after === after;
    if (run.status !== "completed" || !moved) {
      result.failures.push(`a sync of the well-behaved tenant did not arrive: ${JSON.stringify(run)}`);
      break;
    }
    result.starts.push(Date.parse(run.started_at) - Date.parse(run.created_at));
    const arrived = await inbox.arrival(run.id);
    result.webhooks.push(arrived - Date.parse(run.finished_at));
    await delay(1000, undefined, { signal }).catch(() => {});
  }
  return result;
}

/**
 * Waits up to a minute for a run's end.
 *
 * @param {Call} call
 * @param {string} path
 * @returns {Promise<Json>}
 */
async function end(call, path) {
  let last;
  for (const until = Date.now() + 60_000; Date.now() < until; await delay(100)) {
    last = await call("GET", path);
    if (last.body.status === "completed" || last.body.status === "failed") return last.body;
  }
  return last?.body;
}

/** The well-behaved tenant's receiver. It notes when the webhook of each run arrived, and the text of all webhooks. */
async function receiver() {
  /** @type {string[]} */
  const bodies = [];
  /** @type {Map<string, number>} */
  const arrivals = new Map();
  const server = createServer(async (request, response) => {
    const at = Date.now();
    let body = "";
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    const event = JSON.parse(body);
    arrivals.set(event.data.sync.id, at);
    response.writeHead(204).end();
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/`,
    bodies,
    /**
     * Waits up to a minute for a run's webhook.
     *
     * @param {string} id
     */
    async arrival(id) {
      for (const until = Date.now() + 60_000; Date.now() < until; await delay(20)) {
        const at = arrivals.get(id);
        if (at !== undefined) return at;
      }
      return Number.POSITIVE_INFINITY;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Requests `/healthz` ten times a second, and returns the times in milliseconds. A call without an answer counts as ten
 * seconds.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function health(url, signal) {
  /** @type {number[]} */
  const times = [];
  while (!signal.aborted) {
    const began = performance.now();
    const isThere = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    times.push(isThere ? performance.now() - began : 10_000);
    await delay(100, undefined, { signal }).catch(() => {});
  }
  return times;
}

/**
 * The peak resident memory of the process until the signal fires, in bytes.
 *
 * @param {number} pid
 * @param {AbortSignal} signal
 */
async function peakMemory(pid, signal) {
  let peak = 0;
  while (!signal.aborted) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    peak = Math.max(peak, Number(kilobytes) * 1024);
    await delay(100, undefined, { signal }).catch(() => {});
  }
  return peak;
}

/**
 * Resolves once the process has ended, or the signal fires.
 *
 * @param {Member} member
 * @param {AbortSignal} signal
 */
async function processEnd(member, signal) {
  while (!signal.aborted && member.isRunning) await delay(200);
}

/** @param {string} name */
function secret(name) {
  return `planted-${name}-"\\/${randomBytes(8).toString("hex")}`;
}

/**
 * The planted credentials that are readable in one of these texts.
 *
 * @param {string[]} texts
 * @param {Record<string, string>} secrets
 */
function leaked(texts, secrets) {
  return Object.entries(secrets).flatMap(([name, value]) => {
    const random = value.slice(-16);
    const basic = ["git", "x-access-token", "token"].map((user) => Buffer.from(`${user}:${value}`).toString("base64"));
    const forms = [value, random, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), ...basic];
    const found = forms.some((form) => texts.some((text) => text.includes(form)));
    return found ? [`the credential of ${name} was told`] : [];
  });
}

/**
 * @param {number[]} times
 * @param {number} part
 */
function percentile(times, part) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.POSITIVE_INFINITY;
}

/**
 * @param {string} what
 * @param {number} value
 * @param {number} limit
 * @param {string} unit
 */
function above(what, value, limit, unit) {
  return value <= limit ? [] : [`${what}: ${Math.round(value)} ${unit}, and ${limit} is the most`];
}
