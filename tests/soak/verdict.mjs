// The rules that must hold when everything has ended. The data comes from the database, the Git server's log, the
// repositories, and the webhook receiver. Each function returns the violations that it found, in words.

/**
 * @import { SyncRun } from "refsync"
 * @import { Entry } from "./upstreams.mjs"
 *
 * @typedef {Map<string, SyncRun[]>} Events Each run's statuses in order.
 * @typedef {{ id: string, type: string, sync: SyncRun }} Told A webhook.
 * @typedef {{ pid: number | null, at: number }} Kill
 */

/**
 * Every run that was answered 201 has ended well, and no status but the last is terminal.
 *
 * @param {Set<string>} answered
 * @param {Events} events
 */
export function unfinished(answered, events) {
  return [...answered].flatMap((id) => {
    const last = events.get(id)?.at(-1);
    return last?.status === "completed" ? [] : [`sync ${id} is ${last?.status ?? "lost"}: ${last?.error}`];
  });
}

/**
 * All webhooks of each run came. Their first arrivals have the order of its events.
 *
 * @param {Events} events
 * @param {Told[]} deliveries
 */
export function misdelivered(events, deliveries) {
  /** @type {Map<string, string[]>} */
  const arrived = new Map();
  const seen = new Set();
  for (const { id, type, sync } of deliveries) {
    if (seen.has(id)) continue;
    seen.add(id);
    arrived.set(sync.id, [...(arrived.get(sync.id) ?? []), `${type} ${sync.attempt}`]);
  }
  return [...events].flatMap(([id, statuses]) => {
    const due = statuses.map(({ status, attempt }) => `sync.${status} ${attempt}`).join(", ");
    const came = (arrived.get(id) ?? []).join(", ");
    return due === came ? [] : [`sync ${id}: due ${due}; came ${came}`];
  });
}

/**
 * No two runs used the same repository at the same time. The requests of a run to its upstream come from one process, one
 * after the other. A pull begins with `ls-refs`, and a push with `info/refs`. Every other request follows a request of the
 * same process.
 *
 * @param {Entry[]} log
 */
export function overlapping(log) {
  /** @type {string[]} */
  const violations = [];
  /** @type {Map<string, Entry[]>} */
  const byRepository = new Map();
  for (const entry of log) byRepository.set(entry.repository, [...(byRepository.get(entry.repository) ?? []), entry]);
  for (const [repository, requests] of byRepository) {
    requests.sort((a, b) => a.began - b.began);
    /** @param {(Entry | undefined)[]} two */
    const told = (...two) => `${repository}: ${two.map((request) => JSON.stringify(request)).join(" and ")}`;
    for (const [at, request] of requests.entries()) {
      const open = requests.slice(0, at).filter(({ ended }) => ended === null || ended > request.began);
      for (const before of open) violations.push(`at once: ${told(before, request)}`);
      if (BEGINNINGS.includes(request.call)) continue;
      const before = requests[at - 1];
      if (!(before && fromOne(before, request))) violations.push(`mixed: ${told(before, request)}`);
    }
  }
  return violations;
}

const BEGINNINGS = ["ls-refs", "info/refs"];

/**
 * Whether the same process sent both requests. If a sender is unknown, it counts as the same.
 *
 * @param {Entry} one
 * @param {Entry} other
 */
function fromOne(one, other) {
  return one.asker === null || other.asker === null || one.asker === other.asker;
}

/**
 * How long each run whose worker was killed waited for the next one, in milliseconds. `kills` are `{ pid, at }`; the Git
 * server's log shows which run each process had. If it does not, the result is the longest possible wait.
 *
 * @param {Events} events
 * @param {Kill[]} kills
 * @param {{ log: Entry[], names: Map<string, string> }} known
 */
export function takeovers(events, kills, { log, names }) {
  const waits = [];
  for (const statuses of events.values()) {
    for (const [at, event] of statuses.entries()) {
      const before = statuses[at - 1];
      if (event.status !== "in_progress" || before?.status !== "in_progress") continue;
      const began = Date.parse(before.started_at ?? "");
      const ended = Date.parse(event.started_at ?? "");
      const repository = names.get(event.repo_id);
      const asked = log.findLast((r) => r.repository === repository && r.asker && r.began >= began && r.began < ended);
      const killed = kills.find(({ pid, at }) => at >= began && (!asked || pid === asked.asker));
      waits.push(ended - (killed?.at ?? began));
    }
  }
  return waits.sort((a, b) => a - b);
}
