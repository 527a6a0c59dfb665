/** Settings of `refsync/engine` for servers of every kind, over real sockets. */

import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";

import { InvalidRequestError, SyncError, sync } from "../../../pkg/dist/engine.js";
import { guardedFetch } from "../../../pkg/dist/node.js";
import { fastImport, grow } from "../../support/git/history.mjs";
import { listen } from "../../support/network/listen.mjs";
import { present } from "../../support/present.mjs";
import { host } from "./support.mjs";

/** @import { AskCredentials, EngineFetch, SyncOptions } from "refsync/engine" */

const hosted = await host("upstream", "asked", "given", "hooked", "moved", "late", "wide", "narrow", "many", "copied");
after(() => hosted.remove());
await grow(hosted.folder("upstream"), 120);

/** @param {string} name */
const refs = (name) => hosted.refs(name);
/**
 * @param {string} destination
 * @param {Partial<SyncOptions>} [options]
 */
const pull = (destination, options = {}) =>
  sync({ source: hosted.url("upstream"), destination: hosted.url(destination), fetch: hosted.fetch, ...options });

/**
 * Git's own server, which requires `me:secret`.
 *
 * @param {(string | null)[]} seen
 * @returns {EngineFetch}
 */
function guarded(seen) {
  return async (url, init) => {
    const authorization = new Headers(init?.headers).get("authorization");
    seen.push(authorization);
    if (authorization === `Basic ${btoa("me:secret")}`) return hosted.fetch(url, init);
    return new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="our forge"' } });
  };
}

test("credentials are asked for once, with the URL and what the server says", async () => {
  /** @type {(string | null)[]} */
  const seen = [];
  /** @type {Parameters<AskCredentials>[]} */
  const asked = [];
  /** @type {AskCredentials} */
  const credentials = async (url, challenge) => {
    asked.push([url, challenge]);
    return { username: "me", password: "secret" };
  };
  const source = { url: hosted.url("upstream"), fetch: guarded(seen), credentials };
  const destination = { url: hosted.url("asked"), fetch: guarded([]), credentials };
  await pull("asked", { source, destination });
  assert.equal(await refs("asked"), await refs("upstream"));
  assert.deepEqual(asked.map(([url]) => url).sort(), [hosted.url("asked"), hosted.url("upstream")]);
  assert.deepEqual(present(asked[0])[1], { scheme: "Basic", realm: "our forge" });
  assert.equal(seen.filter((authorization) => authorization === null).length, 1, "later requests carry them at once");
});

test("a callback that gives nothing, throws or is wrong leaves the sync unauthorized", async () => {
  const table = [() => undefined, () => Promise.reject(new Error("no keychain")), () => ({ password: "wrong" })];
  for (const credentials of table) {
    const source = { url: hosted.url("upstream"), fetch: guarded([]), credentials };
    const error = await pull("given", { source }).catch((e) => e);
    assert.ok(error instanceof SyncError, `${error}`);
    assert.equal(error.code, "unauthorized");
  }
  assert.equal(await refs("given"), "");
});

test("push options reach the destination's hooks; one with a line's end is refused", async () => {
  await hosted.git("hooked", "config", "receive.advertisePushOptions", "true");
  const hooks = join(hosted.folder("hooked"), "hooks");
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, "pre-receive"), '#!/bin/sh\necho "$GIT_PUSH_OPTION_0" > option\n');
  await chmod(join(hooks, "pre-receive"), 0o755);
  await pull("hooked", { pushOptions: ["ci.skip"] });
  assert.equal(await readFile(join(hosted.folder("hooked"), "option"), "utf8"), "ci.skip\n");
  const error = await pull("hooked", { pushOptions: ["a\nb"] }).catch((e) => e);
  assert.ok(error instanceof InvalidRequestError, `${error}`);
  assert.equal(present(error.fields[0]).field, "pushOptions");
});

test("a repository that has moved is followed, and its requests go to the new address", async (t) => {
  /** @type {(string | undefined)[]} */
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    if (request.url?.startsWith("/old")) {
      response.writeHead(301, { location: request.url.replace("/old", "/upstream") }).end();
      return;
    }
    /** @type {Buffer[]} */
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const body = request.method === "POST" ? Buffer.concat(chunks) : undefined;
      const { method } = request;
      const headers = /** @type {Record<string, string>} */ (request.headers);
      const answer = await hosted.fetch(`http://git.test${request.url}`, { method, headers, body });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  const port = await listen(server);
  const fetch = guardedFetch({ allow: ["127.0.0.0/8"] });
  t.after(() => {
    fetch.close();
    server.close();
  });
  const url = `http://127.0.0.1:${port}/old.git`;
  await pull("moved", { source: { url, fetch } });
  assert.equal(await refs("moved"), await refs("upstream"));
  const asked = seen.filter((path) => path?.startsWith("/old"));
  const first = ["/old.git/git-upload-pack", "/old.git/info/refs?service=git-upload-pack"];
  assert.deepEqual(asked.sort(), first, "only the two before the redirect is known");
});

test("a question of over 1 MiB is compressed, as Git's servers limit what they read of one", async () => {
  const names = 11_500;
  await fill(hosted.folder("wide"), names, 0);
  // Tags with the same names on commits that the source does not have. So the proof's request names all of them.
  await fill(hosted.folder("narrow"), names, 1_000_000);
  /** @type {[encoding: string | undefined, isSmall: boolean][]} */
  const questions = [];
  /** @type {EngineFetch} */
  const fetch = (url, init) => {
    if (url.endsWith("/git-upload-pack") && init?.body instanceof Uint8Array)
      questions.push([new Headers(init.headers).get("content-encoding") ?? undefined, init.body.length < 2 ** 20]);
    return hosted.fetch(url, init);
  };
  const stats = await pull("narrow", { source: { url: hosted.url("wide"), fetch } });
  const [refsAsked, objectsAsked] = questions;
  assert.deepEqual(refsAsked, [undefined, true]);
  assert.deepEqual(objectsAsked, ["gzip", true]);
  assert.equal(stats.refs.filter((r) => r.reason === "tag_moved").length, names);
});

test("more refs than a host takes in one push go in several", async () => {
  const names = 11_500;
  await fill(hosted.folder("many"), names, 0);
  hosted.asked.length = 0;
  const stats = await pull("copied", { source: hosted.url("many") });
  assert.equal(hosted.asked.filter((asked) => asked === "POST copied.git/git-receive-pack").length, 3);
  assert.equal(stats.refs.filter((r) => r.outcome === "updated").length, names + 1);
  assert.equal(await refs("copied"), await refs("many"));
});

/**
 * Makes this many tags, each on a commit of its own. Another `from` gives other commits.
 *
 * @param {string} folder
 * @param {number} count
 * @param {number} from
 */
async function fill(folder, count, from) {
  /** @param {number} n */
  const commit = (n) => `commit refs/heads/main\nmark :${n}\ncommitter A <a@example.org> ${from + n} +0000\ndata 0\n`;
  const tags = Array.from({ length: count }, (_, n) => `${commit(n + 1)}reset refs/tags/t${n}\nfrom :${n + 1}\n\n`);
  await fastImport(folder, tags.join(""));
}

test("a sync that takes longer than it may ends with the code timeout, and changes nothing", async () => {
  /** @type {EngineFetch} */
  const slow = async (url, init) => {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return hosted.fetch(url, init);
  };
  const start = Date.now();
  const error = await pull("late", { fetch: slow, timeout: 300 }).catch((e) => e);
  assert.ok(error instanceof SyncError, `${error}`);
  assert.deepEqual([error.code, error.retryable], ["timeout", true]);
  assert.match(error.message, /0\.3 s/);
  assert.ok(Date.now() - start < 2000, "it does not wait for the answer");
  assert.equal(await refs("late"), "");
});
