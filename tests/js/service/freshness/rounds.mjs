/**
 * Random faults around a mirror whose freshness is watched: a worker is killed, the upstream is silent or broken, its credential
 * has expired, refs diverge, and somebody moves the clock. Time is moved, so that an hour passes in a moment.
 *
 * The judge knows the truth: which commit the upstream had at each time, and which one the mirror has.
 */
import assert from "node:assert/strict";

import { PGlite } from "@electric-sql/pglite";
import { Service } from "refsync/service";

/**
 * @import { Json } from "../../../support/json.mjs"
 *
 * @typedef {"well" | "silent" | "broken" | "refused" | "diverged"} Upstream
 * @typedef {{ pass(milliseconds: number): void, set(milliseconds: number): void, now(): number }} Clock
 * @typedef {"fresh" | "not fresh" | "stale" | "recovered" | "killed" | "clock back" | "clock forward" | "runs" | "paused"} Seen
 */

const MAX_AGE = 10 * 60_000;
/** What is asked for: nothing, and the maximum that then counts, or another one. */
const maximums = /** @type {const} */ ([
  ["", MAX_AGE],
  ["", MAX_AGE],
  ["?max_age=2m", 2 * 60_000],
  ["?max_age=1h", 60 * 60_000],
]);
/** The clock's smallest step that the service corrects. */
const TOLERANCE = 5_000;

/**
 * Plays the rounds. Throws if an answer is false, or if the mirror is not reported in time or more than once. Resolves to how often
 * each thing was seen.
 *
 * @param {{ rounds: number, clock: Clock, seed?: number, onRound?: (n: number) => void }} options
 */
export async function rounds({ rounds, clock, seed = 1, onRound = () => {} }) {
  const world = await build(clock, randomFrom(seed));
  try {
    for (let n = 1; n <= rounds; n += 1) {
      try {
        await world.round();
      } catch (error) {
        throw new Error(`round ${n} of seed ${seed}: ${/** @type {Error} */ (error).message}`, { cause: error });
      }
      onRound(n);
    }
    return world.seen;
  } finally {
    await world.close();
  }
}

/**
 * @param {Clock} clock
 * @param {(bound: number) => number} random
 */
async function build(clock, random) {
  const database = new PGlite();
  /** @type {Partial<Record<Seen, number>>} */
  const seen = {};
  const count = (/** @type {Seen} */ what) => {
    seen[what] = (seen[what] ?? 0) + 1;
  };
  /** What the upstream had: the number of its newest commit, from a time on. */
  const history = [{ from: clock.now(), commit: 1 }];
  const newest = () => /** @type {{ commit: number }} */ (history.at(-1)).commit;
  let has = 0;
  /** @type {Upstream} */
  let upstream = "well";
  /** When the last sync that brought everything began. */
  let verified = Number.NEGATIVE_INFINITY;
  /** Since when the promise is watched, or since when there is a mirror to be reported. */
  let watchedFrom = 0;

  const engine = {
    async sync(/** @type {string} */ _task, /** @type {unknown} */ _report, /** @type {AbortSignal} */ signal) {
      const [began, wanted] = [clock.now(), newest()];
      const before = has;
      if (upstream === "silent") {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      }
      if (upstream === "broken")
        throw Object.assign(new Error("500"), { code: "server_error", retryable: true, side: "source" });
      if (upstream === "refused") throw Object.assign(new Error("401"), { code: "unauthorized", side: "source" });
      // The upstream moves on while it sends, and so does the time.
      clock.pass(random(3) * 1_000);
      if (random(4) === 0) push();
      const id = (/** @type {number} */ commit) => commit.toString(16).padStart(40, "0");
      const ref = { name: "refs/heads/main", before: id(before), message: null };
      if (upstream === "diverged") {
        return JSON.stringify({
          stats: { refs: [{ ...ref, after: id(before), outcome: "rejected", reason: "non_fast_forward" }] },
          head: null,
        });
      }
      [has, verified] = [wanted, began];
      const outcome = before === wanted ? "unchanged" : "updated";
      return JSON.stringify({ stats: { refs: [{ ...ref, after: id(wanted), outcome, reason: null }] }, head: null });
    },
    async findRef() {
      return undefined;
    },
  };

  /** A process with a worker. If it is killed, it never reaches the database again. */
  function process() {
    let isAlive = true;
    const own = {
      query: (/** @type {string} */ sql, /** @type {unknown[]} */ params) =>
        isAlive ? database.query(sql, params) : new Promise(() => {}),
    };
    const service = new Service({
      database: /** @type {Json} */ (own),
      git: {
        create: async () => {},
        remove: async () => {},
        setHead: async () => {},
        fetch: async () => new Response(null),
      },
      engine,
      fetch: async () => new Response(null, { status: 204 }),
      secretKey: new Uint8Array(32).fill(7),
      log: () => {},
    });
    return {
      service,
      kill() {
        isAlive = false;
      },
    };
  }

  let at = process();
  await at.service.migrate();
  // A delivery is removed when it has arrived.
  await database.exec(
    `CREATE TABLE announced (seq bigint, envelope jsonb);
     CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO announced VALUES (NEW.seq, NEW.envelope); RETURN NULL;
     END $$;
     CREATE TRIGGER noted AFTER INSERT ON refsync.webhook_deliveries FOR EACH ROW EXECUTE FUNCTION note();`,
  );
  await at.service.ensureOrganization("acme");
  const key = await at.service.createApiKey("acme", "admin");
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<[number, Json]>}
   */
  const call = async (method, path, body) => {
    const response = await at.service.fetch(
      new Request(`http://service.test/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
    return [response.status, await response.json()];
  };
  const events = ["upstream.stale", "upstream.recovered", "upstream.paused"];
  await call("POST", "/acme/webhook-targets", { url: "https://hooks.test/x", events });
  const url = "https://upstream.test/app.git";
  const good = { kind: "token", token: "good" };
  await call("POST", "/acme/repos", {
    name: "app",
    upstream: { url, auth: good, max_age: "10m", schedule: { every: "2m" } },
  });
  watchedFrom = clock.now();

  function push() {
    history.push({ from: clock.now(), commit: newest() + 1 });
  }

  /** Compares an answer with the truth. */
  async function ask() {
    const [query, max] = maximums[random(maximums.length)] ?? maximums[0];
    const asked = clock.now();
    const [status, { fresh }] = await call("GET", `/acme/app/upstream/freshness${query}`);
    assert.equal(status, fresh ? 200 : 503);
    count(fresh ? "fresh" : "not fresh");
    if (!fresh) return;
    const then = asked - max - TOLERANCE;
    const had = history.findLast(({ from }) => from <= then)?.commit ?? 0;
    assert.ok(has >= had, `fresh within ${max / 60_000} min is false: commit ${has} is here, ${had} was there in time`);
    assert.ok(
      verified >= then,
      `fresh within ${max / 60_000} min is false: verified ${(asked - verified) / 1000} s ago`,
    );
  }

  let isReported = false;
  let lastEvent = 0;
  /** Reads the events that were announced since the last look, and judges them. */
  async function judge() {
    const { rows } = await database.query(
      "SELECT seq::int, envelope ->> 'type' AS type FROM announced WHERE seq > $1 ORDER BY seq",
      [lastEvent],
    );
    for (const { seq, type } of /** @type {{ seq: number, type: string }[]} */ (rows)) {
      lastEvent = seq;
      const what = /** @type {Seen} */ (type.replace("upstream.", ""));
      count(what);
      if (what === "paused") continue;
      assert.equal(what, isReported ? "recovered" : "stale", "each change is announced once");
      isReported = what === "stale";
    }
    const age = clock.now() - Math.max(verified, watchedFrom);
    assert.ok(isReported || age < 2 * MAX_AGE, `it was not reported after ${Math.round(age / 1000)} s`);
  }

  /** @type {Promise<unknown> | undefined} */
  let busy;
  /** A turn of the worker. A run may be silent, so the turn does not wait for its end. */
  async function work() {
    if (busy === undefined) {
      let wasClaimed = false;
      const turn = at.service
        .tick(() => {
          wasClaimed = true;
          count("runs");
        })
        .catch(() => false)
        .finally(() => {
          busy = undefined;
        });
      busy = turn;
      const quiet = new Promise((resolve) => setTimeout(resolve, 40));
      await Promise.race([turn, ...(upstream === "silent" ? [quiet] : [])]);
      if (!wasClaimed && busy !== undefined) await turn;
    }
    // All lanes may be busy. Deliveries go on, and with them the watch.
    await at.service.deliver();
  }

  /** Time passes in steps, with the work of a process in each. */
  async function live(/** @type {number} */ milliseconds) {
    for (let left = milliseconds; left > 0; ) {
      const step = Math.min(left, 60_000 + random(90_000));
      clock.pass(step);
      left -= step;
      if (random(3) === 0) push();
      await work();
      await judge();
      await ask();
    }
  }

  async function round() {
    const fault = random(8);
    upstream =
      /** @type {const} */ (["well", "well", "well", "silent", "broken", "refused", "diverged", "well"])[fault] ??
      "well";
    if (fault === 1 || random(6) === 0) {
      count("killed");
      // Perhaps in the middle of a run.
      if (random(2) === 0) upstream = "silent";
      void work();
      await new Promise((resolve) => setTimeout(resolve, random(20)));
      at.kill();
      busy = undefined;
      at = process();
      if (upstream === "silent" && random(2) === 0) upstream = "well";
      await ask();
    }
    if (fault === 2 || random(6) === 0) {
      const step = (1 + random(120)) * 60_000;
      if (random(3) > 0) {
        count("clock back");
        clock.set(-step);
      } else {
        count("clock forward");
        clock.set(step);
      }
      await ask();
    }
    await live((1 + random(12)) * 60_000);
    upstream = "well";
    if (random(2) === 0) {
      // The operator sets the credential again, which ends a pause, and starts a sync.
      await call("PATCH", "/acme/app", { upstream: { url, auth: good } });
      await call("POST", "/acme/app/upstream/syncs", { direction: "pull" });
    }
    await live((1 + random(4)) * 60_000);
  }

  return {
    seen,
    round,
    async close() {
      at.kill();
      await database.close();
    },
  };
}

/**
 * Random numbers below a bound. The same seed gives the same numbers (mulberry32).
 *
 * @param {number} seed
 * @returns {(bound: number) => number}
 */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}
