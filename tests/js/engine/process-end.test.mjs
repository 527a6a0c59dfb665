// A process ends when its work has ended: no timer, socket or listener of the package keeps it alive.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { serve } from "refsync/node";

import { grow } from "../../support/git/history.mjs";
import { listen } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";
import { ended, GRACE } from "../../support/process/process.mjs";
import { bin } from "../../support/process/refsync.mjs";
import { host } from "./support.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} [source]
 * @property {string} destination
 * @property {boolean} [plan]
 * @property {string[]} [more] Options of the library, and flags of the command.
 * @property {{ updated: number, rejected: number } | { error: string }} ends
 */

const ENGINE = new URL("../../../pkg/dist/engine.js", import.meta.url).href;

const hosted = await host("source", "behind", "diverged", "same", "rewritten", "original");
const listener = await serve({
  service: {
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const isCut = pathname.startsWith("/cut/") && method === "POST";
      const body = isCut ? await request.text() : request.body;
      const url = `http://git.test${pathname.slice("/git".length)}${search}`;
      const response = await hosted.fetch(url, { method, headers, body, duplex: "half" });
      if (typeof body !== "string" || !body.includes("command=fetch")) return response;
      return new Response(response.body?.pipeThrough(failingAfter(1)), response);
    },
  },
});
/**
 * Forwards some chunks and then fails.
 *
 * @param {number} chunks
 * @returns {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>}
 */
function failingAfter(chunks) {
  let left = chunks;
  return new TransformStream({
    transform(chunk, controller) {
      if (left === 0) controller.error(new Error("cut"));
      else controller.enqueue(chunk.subarray(0, 100));
      left -= 1;
    },
    flush: (controller) => controller.error(new Error("cut")),
  });
}

/** A server that never answers, and one that fails. */
const silent = createServer(() => {});
const failing = createServer((_, response) => response.writeHead(500).end("broken"));
/** @param {import("node:http").Server} server */
const addressOf = async (server) => `http://127.0.0.1:${await listen(server)}/x.git`;
const [silentUrl, failingUrl] = await Promise.all([addressOf(silent), addressOf(failing)]);
after(async () => {
  for (const server of [silent, failing]) server.closeAllConnections();
  for (const server of [silent, failing]) server.close();
  await listener.close(0);
  await hosted.remove();
});

await grow(hosted.folder("source"), 200);
/** @param {string} name */
const url = (name) => `${listener.url}/git/${name}.git`;
const tree = await hosted.git("source", "rev-parse", "main^{tree}");
/**
 * @param {string} name
 * @param {string[]} parent
 * @param {string} message
 */
const commit = (name, parent, message) => hosted.git(name, "commit-tree", tree, ...parent, "-m", message);

// One commit each, so that the whole pack comes in one piece.
/** @param {string} name */
const emptyTree = (name) => hosted.git(name, "hash-object", "-t", "tree", "-w", "/dev/null");
/**
 * @param {string} name
 * @param {string} message
 */
const root = async (name, message) => hosted.git(name, "commit-tree", await emptyTree(name), "-m", message);
const original = await root("original", "one");
await hosted.git("rewritten", "update-ref", "refs/heads/main", await root("rewritten", "another"));

/** Resets the destinations to the start of each scenario. */
async function reset() {
  for (const name of ["behind", "diverged", "same"]) {
    await hosted.git(
      "source",
      "push",
      "--quiet",
      "--force",
      "--prune",
      hosted.folder(name),
      "refs/heads/*:refs/heads/*",
    );
    await hosted.git("source", "push", "--quiet", "--force", hosted.folder(name), "refs/tags/*:refs/tags/*");
  }
  await hosted.git("behind", "update-ref", "refs/heads/main", "main~5");
  await hosted.git("diverged", "update-ref", "refs/heads/main", await commit("diverged", ["-p", "main~1"], "ours"));
  await hosted.git("original", "update-ref", "refs/heads/main", original);
}

/** @type {Scenario[]} */
const scenarios = [
  { name: "nothing to do", destination: url("same"), ends: { updated: 0, rejected: 0 } },
  { name: "a fast-forward", destination: url("behind"), ends: { updated: 1, rejected: 0 } },
  { name: "a diverged branch", destination: url("diverged"), ends: { updated: 0, rejected: 1 } },
  {
    name: "a diverged branch, by force",
    destination: url("diverged"),
    more: ["force"],
    ends: { updated: 1, rejected: 0 },
  },
  {
    name: "a rewritten root commit",
    source: url("rewritten"),
    destination: url("original"),
    ends: { updated: 0, rejected: 1 },
  },
  {
    name: "a rewritten root commit, by force",
    source: url("rewritten"),
    destination: url("original"),
    more: ["force"],
    ends: { updated: 1, rejected: 0 },
  },
  { name: "a diverged branch, planned", destination: url("diverged"), plan: true, ends: { updated: 0, rejected: 1 } },
  { name: "a destination that fails", destination: failingUrl, ends: { error: "server_error" } },
  { name: "a source that fails", source: failingUrl, destination: url("same"), ends: { error: "server_error" } },
  {
    name: "a source that breaks off",
    source: url("source").replace("/git/", "/cut/"),
    destination: url("behind"),
    ends: { error: "unreachable" },
  },
  { name: "nobody there", destination: "http://127.0.0.1:9/x.git", ends: { error: "unreachable" } },
];
const aborted = [
  { name: "a source that is silent, until the signal aborts", source: silentUrl, destination: url("same") },
  { name: "a destination that is silent, until the signal aborts", source: url("source"), destination: silentUrl },
];

for (const { name, source = url("source"), destination, plan = false, more = [], ends } of scenarios) {
  test(`the library: ${name}`, async () => {
    await reset();
    const options = {
      source,
      destination,
      ref_globs: { branches: "main" },
      ...Object.fromEntries(more.map((key) => [key, true])),
    };
    const script = `
      const engine = await import(${JSON.stringify(ENGINE)});
      const counted = ({ refs }) => Object.fromEntries(["updated", "rejected"].map((word) => [word, refs.filter(({ outcome }) => outcome === word).length]));
      const result = await engine.${plan ? "plan" : "sync"}(${JSON.stringify(options)}).then(counted, ({ code }) => ({ error: code }));
      console.log(JSON.stringify(result));`;
    const { line, lived } = await ended(["--input-type=module", "--eval", script]);
    assert.deepEqual(JSON.parse(line), ends);
    assert.ok(lived < GRACE, `it lived ${lived} ms on`);
  });

  test(`the command: ${name}`, async () => {
    await reset();
    const flags = ["--branches", "main", "--json", ...(plan ? ["--plan"] : []), ...more.map((flag) => `--${flag}`)];
    const { line, lived } = await ended([bin, "sync", source, destination, ...flags]);
    /** @type {{ refs?: import("refsync").SyncRunRef[], error?: { code: string } }} */
    const { refs = [], error } = JSON.parse(line);
    /** @param {string} word */
    const count = (word) => refs.filter(({ outcome }) => outcome === word).length;
    assert.deepEqual(error ? { error: error.code } : { updated: count("updated"), rejected: count("rejected") }, ends);
    assert.ok(lived < GRACE, `it lived ${lived} ms on`);
  });
}

for (const { name, source, destination } of aborted) {
  test(`the library: ${name}`, async () => {
    const script = `
      const engine = await import(${JSON.stringify(ENGINE)});
      const signal = AbortSignal.timeout(300);
      await engine.sync({ source: "${source}", destination: "${destination}", signal }).catch(({ name }) => console.log(name));`;
    const { line, lived } = await ended(["--input-type=module", "--eval", script]);
    assert.equal(line, "AbortError");
    assert.ok(lived < GRACE, `it lived ${lived} ms on`);
  });

  test(`the command: ${name.replace("the signal aborts", "Ctrl-C")}`, async () => {
    const { line, lived } = await ended([bin, "sync", source, destination, "--json"], (child) => {
      setTimeout(() => child.kill("SIGINT"), 600);
      setTimeout(() => child.kill("SIGINT"), 900);
    });
    assert.equal(JSON.parse(line).error.code, "interrupted");
    assert.ok(lived < GRACE, `it lived ${lived} ms on`);
  });
}

test("refsync sync takes as long with a diverged branch as without one", async (t) => {
  await reset();
  await hosted.git("rewritten", "update-ref", "refs/heads/same", await root("rewritten", "same"));
  await hosted.git("rewritten", "push", "--quiet", hosted.folder("original"), "same");
  /** @type {Record<"same" | "main", number[]>} */
  const times = { same: [], main: [] };
  for (let round = 0; round < 5; round += 1) {
    for (const [branch, all] of Object.entries(times)) {
      const start = performance.now();
      await ended([bin, "sync", url("rewritten"), url("original"), "--branches", branch, "--json"]);
      all.push(performance.now() - start);
    }
  }
  /** @param {number[]} all */
  const median = (all) => present(all.toSorted((a, b) => a - b)[2]);
  const [same, diverged] = [median(times.same), median(times.main)];
  t.diagnostic(`medians: ${diverged.toFixed(0)} ms with a diverged branch, ${same.toFixed(0)} ms without`);
  assert.ok(diverged - same < 200, `${diverged} ms against ${same} ms`);
});
