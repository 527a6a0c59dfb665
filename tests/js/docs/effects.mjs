/** Checks the promised effects of the documents' commands after each command. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { sync } from "../../../pkg/dist/engine.js";
import { git } from "../../support/git/git.mjs";
import { PAGE } from "./things.mjs";

/**
 * @typedef {object} Context
 * @property {import("./things.mjs").Things} things
 * @property {string} cwd Where the commands are typed.
 * @property {Awaited<ReturnType<typeof import("../../support/git/git-server.mjs").gitServer>>} server The Git host.
 * @property {string} name The names of this document's repositories begin with this.
 * @property {() => string} output What the command has printed so far.
 * @property {import("../../support/process/terminal.mjs").Running[]} running The running commands, newest last.
 * @property {(running: import("../../support/process/terminal.mjs").Running) => Promise<void>} stop Ends one, as Ctrl-C does.
 * @property {Map<string, any>} notes Values that one effect keeps for a later one.
 *
 * @typedef {[command: RegExp, holds: (context: Context) => Promise<void>]} Effect
 */

/** @type {Effect[]} */
const plansAndSyncs = [
  [
    /refsync sync .* --plan/,
    async ({ server, name, output, notes }) => {
      if (!notes.has("synced")) assert.match(output(), /refs\/heads\/main/);
      assert.match(output(), /a plan: nothing was changed/);
      assert.equal(await server.refs(`${name}-origin`), notes.get("synced") ?? "");
    },
  ],
  [
    /refsync sync \S+ \S+$/,
    async ({ server, name }) => {
      assert.match(await server.refs(`${name}-origin`), /refs\/heads\/main/);
      assert.equal(await server.refs(`${name}-origin`), await server.refs(`${name}-upstream`));
    },
  ],
];

/** @type {Effect} */
const servesFromHere = [
  /refsync serve$/,
  async ({ output, cwd }) => {
    await servesPage(output(), join(cwd, "refsync-data"));
    assert.ok(existsSync(join(cwd, "refsync-data/secret.key")));
  },
];

/** @type {Effect[1]} */
const isInstalled = async ({ cwd }) => assert.ok(existsSync(join(cwd, "node_modules/refsync/dist/index.js")));

/**
 * The new user's program is compiled from the document's text, and by the document's command.
 *
 * @type {Effect[1]}
 */
const compilesStrictly = async ({ cwd, output }) => {
  assert.equal(output().trim(), "", "the compiler has no complaint");
  assert.match(readFileSync(join(cwd, "sync.mjs"), "utf8"), /from "refsync\/engine"/);
};

/**
 * It prints the stats of a real sync.
 *
 * @type {Effect[1]}
 */
const printsStats = async ({ output, server, name, notes }) => {
  assert.match(output(), /^refs\/heads\/main updated/m);
  const refs = await server.refs(`${name}-origin`);
  assert.equal(refs, await server.refs(`${name}-upstream`));
  notes.set("synced", refs);
};

/**
 * The effects by document. Each pattern matches exactly one command of the document.
 *
 * @type {Record<string, Effect[]>}
 */
export const EFFECTS = {
  "README.md": [...plansAndSyncs, servesFromHere],
  "pkg/README.md": [
    [/npm install refsync$/, isInstalled],
    [/npx tsc --strict --module nodenext/, compilesStrictly],
    [/node sync\.mjs$/, printsStats],
    ...plansAndSyncs,
    servesFromHere,
  ],
  "docs/start.md": [
    [
      /refsync sync .* --plan$/,
      async ({ server, name, output }) => {
        assert.match(output(), /a plan: nothing was changed/);
        assert.equal(await server.refs(`${name}-origin`), "");
      },
    ],
    [
      /refsync sync .* --branches main/,
      async ({ server, name, output }) => {
        assert.match(await server.refs(`${name}-origin`), /refs\/heads\/main/);
        assert.match(output(), /release\/\*/, "it warns about the glob that matches nothing");
      },
    ],
    [/npx tsc --strict --module nodenext/, compilesStrictly],
    [/node sync\.mjs$/, async ({ output }) => assert.match(output(), /^refs\/heads\/main unchanged/m)],
    servesFromHere,
  ],
  "docs/guides/ci.md": [
    [
      /refsync sync .* > stats\.json$/,
      async ({ cwd, server, name }) => {
        const { refs } = JSON.parse(readFileSync(join(cwd, "stats.json"), "utf8"));
        assert.deepEqual(
          refs.map((/** @type {any} */ { name, outcome }) => [name, outcome]),
          [["refs/heads/main", "updated"]],
        );
        assert.equal(await server.refs(`${name}-origin`), await server.refs(`${name}-upstream`));
      },
    ],
  ],
  "docs/reference/command-line.md": [
    [/refsync --help/, async ({ output }) => assert.match(output(), /sync \[options\] <source-url> <destination-url>/)],
  ],
  "docs/guides/browser.md": [
    [
      /refsync proxy/,
      async ({ things, output, server, name }) => {
        const [, proxy] = /relays Git at (\S+)/.exec(output()) ?? [];
        assert.ok(proxy, output());
        const destination = await server.create(`${name}-destination`);
        /** @type {string[]} */
        const asked = [];
        /** Set like a browser does. A page cannot forge it. */
        const fetchFrom = (/** @type {string} */ page) => (/** @type {any} */ input, /** @type {any} */ init) => {
          asked.push(String(input));
          return fetch(input, { ...init, headers: { ...init.headers, origin: page } });
        };
        await sync({ source: things.upstream, destination, proxy, fetch: fetchFrom(PAGE) });
        assert.ok(asked.length > 0 && asked.every((url) => url.startsWith(proxy)), asked.join("\n"));
        assert.equal(await server.refs(`${name}-destination`), await server.refs(`${name}-upstream`));
        const fromElsewhere = { source: things.upstream, destination, proxy, fetch: fetchFrom("https://other.test") };
        await assert.rejects(sync(fromElsewhere), /does not serve https:\/\/other\.test/);
      },
    ],
  ],
  "docs/guides/self-hosting.md": [
    [
      /refsync serve --data \.\/refsync-data/,
      async ({ server, name, cwd, output, notes }) => {
        await servesPage(output(), join(cwd, "refsync-data"));
        const service = serviceOf(output(), join(cwd, "refsync-data"));
        // Its upstream asks for a credential, which is stored sealed.
        const url = await server.create(`${name}-private`, { token: "t0ken" });
        await server.commit(`${name}-private`, "one");
        await service.api("POST", "/repos", {
          name: "app",
          upstream: { url, auth: { kind: "token", token: "t0ken" } },
        });
        await pulled(service, "app");
        notes.set("embedded", { repos: await described(service), refs: await service.refs("app"), key: service.key });
        notes.set("secret key", readFileSync(join(cwd, "refsync-data/secret.key"), "utf8"));
      },
    ],
    [
      /refsync serve .*--no-worker/,
      async ({ things, output, notes }) => {
        const service = serviceOf(output(), join(things.folder, "shared/refsync"));
        await service.api("POST", "/repos", { name: "hosted", upstream: { url: things.upstream } });
        const run = await service.api("POST", "/hosted/upstream/syncs", { direction: "pull" });
        assert.equal(run.status, "queued");
        notes.set("served", { service, output });
        notes.set("run", run.id);
      },
    ],
    [
      /refsync worker .*--concurrency 8/,
      async ({ server, name, output, running, notes }) => {
        assert.match(output(), /refsync works, 8 runs at a time/);
        const { service } = notes.get("served");
        await completed(service, "hosted", notes.get("run"));
        assert.match(await server.refs(`${name}-upstream`), new RegExp((await service.refs("hosted")).split("\t")[0]));
        notes.set("first worker", running.at(-1));
      },
    ],
    [
      /curl /,
      async ({ things, notes }) => {
        const { service, output } = notes.get("served");
        const answers = records(output()).filter(
          ({ method, path }) => method === "POST" && path === "/v1/default/repos",
        );
        // The first one is the repository `hosted` from above.
        assert.deepEqual(
          answers.map(({ status }) => status),
          [201, 201],
        );
        const { origin, upstream } = await service.api("GET", "/app");
        assert.deepEqual(origin, { url: things.origin, auth_kind: "token" });
        assert.equal(upstream.url, things.upstream);
      },
    ],
    [
      /refsync worker --database \S+$/,
      async ({ server, name, output, stop, notes }) => {
        await stop(notes.get("first worker"));
        const { service } = notes.get("served");
        await pulled(service, "app");
        assert.match(await server.refs(`${name}-origin`), /refs\/heads\/main/);
        assert.equal(await server.refs(`${name}-origin`), await server.refs(`${name}-upstream`));
        const [run] = records(output()).filter(({ event }) => event === "sync");
        assert.deepEqual([run.repo, run.status], ["app", "completed"], "it was this worker");
        notes.set("shared", { repos: await described(service), refs: await service.refs("hosted"), key: service.key });
      },
    ],
    [
      /refsync rotate-key/,
      async ({ cwd, notes }) => {
        const key = readFileSync(join(cwd, "refsync-data/secret.key"), "utf8");
        assert.match(key, /^[A-Za-z0-9+/]{43}=\n$/);
        assert.notEqual(key, notes.get("secret key"));
      },
    ],
    [
      /refsync keys create --data .*--scope write/,
      async ({ output, notes }) => {
        // npm may print a warning before it.
        const [key] = /^refsync_[0-9a-f]{24}_[\w-]{43}$/m.exec(output()) ?? [];
        assert.ok(key, output());
        notes.set("write key", `key_${key.split("_")[1]}`);
      },
    ],
    [
      /refsync keys list/,
      async ({ output, notes }) =>
        assert.match(output(), new RegExp(`^${notes.get("write key")}  ci  scope write`, "m")),
    ],
    [/refsync public-keys create/, async ({ output }) => assert.match(output(), /^mesa_private_key_default_[\w-]+$/m)],
    [/refsync orgs create/, async ({ output }) => assert.match(output(), /the organisation acme is made/)],
    [
      /refsync keys create --data .*--org acme/,
      async ({ output }) => assert.match(output(), /^refsync_[0-9a-f]{24}_[\w-]{43}$/m),
    ],
    [/openssl rand/, async ({ output }) => assert.equal(Buffer.from(output(), "base64").length, 32)],
    [/refsync backup/, async ({ output }) => assert.match(output(), /\d+ rows and 1 repositories are in \.\/backup-1/)],
    [
      /refsync restore --check/,
      async ({ output }) => assert.match(output(), /\.\/backup-1 is whole: \d+ rows and 1 repositories/),
    ],
    [
      /refsync restore \.\/backup-1/,
      async ({ output }) => assert.match(output(), /\d+ rows and 1 repositories are restored/),
    ],
    [
      /refsync serve --data \.\/other-folder/,
      async ({ server, name, output, notes, cwd }) => {
        const service = serviceOf(output(), join(cwd, "other-folder"));
        const before = notes.get("embedded");
        const now = { repos: await described(service), refs: await service.refs("app"), key: service.key };
        assert.deepEqual(now, before);
        await server.commit(`${name}-private`, "two");
        await pulled(service, "app");
        assert.notEqual(await service.refs("app"), before.refs, "the stored credential is good");
      },
    ],
    [
      /pg_dump/,
      async ({ cwd }) => assert.match(readFileSync(join(cwd, "refsync.sql"), "utf8"), /CREATE SCHEMA refsync/),
    ],
    [
      /refsync serve --data \/srv\/refsync-copy/,
      async ({ output, notes, things }) => {
        const service = serviceOf(output(), join(things.folder, "shared/refsync-copy"));
        const now = { repos: await described(service), refs: await service.refs("hosted"), key: service.key };
        assert.deepEqual(now, notes.get("shared"));
        await pulled(service, "app");
      },
    ],
  ],
};

/**
 * The service that the greeting names, with the key of its data folder.
 *
 * @param {string} greeting
 * @param {string} data
 */
function serviceOf(greeting, data) {
  const [, base = ""] = /^ {2}API {3}(\S+)\/v1$/m.exec(greeting) ?? [];
  const key = readFileSync(join(data, "api-key"), "utf8").trim();
  assert.ok(base && key, `no address in: ${greeting}`);
  assert.ok(!greeting.includes(key), "what is no terminal does not get the key");
  return {
    key,
    /**
     * @param {string} method
     * @param {string} path
     * @param {unknown} [body]
     * @returns {Promise<any>}
     */
    async api(method, path, body) {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const answer = await fetch(`${base}/v1/default${path}`, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const json = await answer.json();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
      return json;
    },
    /**
     * The service's answer to Git about a repository.
     *
     * @param {string} repo
     */
    refs: (repo) => git(process.cwd(), "ls-remote", `${base.replace("://", `://git:${key}@`)}/default/${repo}.git`),
  };
}

/** @typedef {ReturnType<typeof serviceOf>} Hosted */

/**
 * Every repository, as the API shows it, without the fields that change by themselves.
 *
 * @param {Hosted} service
 */
async function described(service) {
  const { repos } = await service.api("GET", "/repos");
  return repos.map((/** @type {any} */ { id, name, origin, upstream, head_change_id }) => {
    return { id, name, origin, upstream: upstream.url, head: head_change_id };
  });
}

/**
 * @param {string} greeting
 * @param {string} data
 */
async function servesPage(greeting, data) {
  const [, page = ""] = /^ {2}page {2}(\S+)$/m.exec(greeting) ?? [];
  const answer = await fetch(page);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /<html/);
  const service = serviceOf(greeting, data);
  await service.api("GET", "/repos");
  const { origin, hash } = new URL(page);
  const exchange = () => {
    const body = JSON.stringify({ code: hash.slice("#code=".length) });
    return fetch(`${origin}/v1/sessions`, { method: "POST", body });
  };
  assert.equal((await exchange()).status, 201);
  assert.equal((await exchange()).status, 401, "it works once");
}

/**
 * Starts a pull, and waits until it is completed.
 *
 * @param {Hosted} service
 * @param {string} repo
 */
async function pulled(service, repo) {
  const { id } = await service.api("POST", `/${repo}/upstream/syncs`, { direction: "pull" });
  await completed(service, repo, id);
}

/**
 * @param {Hosted} service
 * @param {string} repo
 * @param {string} id
 */
async function completed(service, repo, id) {
  for (let waited = 0; waited < 20_000; waited += 50) {
    const { status, error } = await service.api("GET", `/${repo}/upstream/syncs/${id}`);
    if (status === "completed") return;
    assert.notEqual(status, "failed", error);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`the run of ${repo} does not end`);
}

/**
 * The records of a log between other lines.
 *
 * @param {string} output
 * @returns {any[]}
 */
function records(output) {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}
