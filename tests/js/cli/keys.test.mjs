// The operator's commands: while the folder is served, while it is not served, and on a PostgreSQL.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openTty } from "../../support/process/tty.mjs";
import { postgres } from "../../support/service/postgres.mjs";
import { folder, refsync, serve } from "./support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Json } from "../../support/json.mjs"
 */

/**
 * Runs a command with `--json`, and returns its output.
 *
 * @param {string[]} args
 * @returns {Promise<Json>}
 */
async function json(...args) {
  const { status, stdout, stderr } = await refsync([...args, "--json"]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/**
 * @param {string} url
 * @param {string} key
 */
const whoami = (url, key) => fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });

/**
 * Checks that apply to every kind of served place. `place` are the flags that name it, and `url` is its address.
 *
 * @param {string[]} place
 * @param {string} url
 */
async function manages(place, url) {
  const made = await json("keys", "create", ...place, "--scope", "write", "--name", "ci", "--expires-in", "90d");
  assert.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 90 * 86_400_000);
  assert.equal((await whoami(url, made.api_key)).status, 200);
  const plain = await refsync(["keys", "create", ...place, "--scope", "read"]);
  assert.match(plain.stdout, /^refsync_[0-9a-f]{24}_[\w-]{43}\n$/, "a script gets the key alone");
  assert.match(plain.stderr, /scope read .*not shown again/);
  const { api_keys: listed } = await json("keys", "list", ...place);
  assert.ok(listed.some((/** @type {Json} */ { id, name }) => id === made.id && name === "ci"));
  assert.ok(!JSON.stringify(listed).includes(made.api_key));
  assert.match((await refsync(["keys", "list", ...place])).stdout, new RegExp(`^${made.id}  ci  scope write`, "m"));
  assert.deepEqual(await json("keys", "revoke", made.id, ...place), { id: made.id, revoked: true });
  assert.equal((await whoami(url, made.api_key)).status, 401);
  const again = await refsync(["keys", "revoke", made.id, ...place]);
  assert.deepEqual([again.status, again.stdout], [1, ""]);
  assert.match(again.stderr, /has no API key key_/);

  const pair = await json("public-keys", "create", ...place, "--name", "signer");
  assert.match(pair.private_key, /^mesa_private_key_default_/);
  assert.deepEqual(await json("public-keys", "revoke", pair.id, ...place), { id: pair.id, revoked: true });
  const added = await json("public-keys", "add", pair.x, ...place, "--scope", "read");
  assert.deepEqual([added.x, added.private_key, added.scope], [pair.x, null, "read"]);
  const { public_keys: publicKeys } = await json("public-keys", "list", ...place);
  assert.deepEqual(
    publicKeys.map((/** @type {Json} */ { id }) => id),
    [added.id],
  );

  assert.equal((await json("orgs", "create", "second", ...place, "--name", "The second")).slug, "second");
  const { orgs } = await json("orgs", "list", ...place);
  assert.deepEqual(
    orgs.map((/** @type {Json} */ { slug }) => slug),
    ["default", "second"],
  );
  const several = await refsync(["keys", "list", ...place]);
  assert.match(several.stderr, /several organisations; name one with --org: default, second/);
  const theirs = await json("keys", "create", ...place, "--org", "second", "--scope", "admin");
  assert.equal((await (await whoami(url, theirs.api_key)).json()).org.slug, "second");
}

describe("refsync keys, public-keys and orgs", () => {
  test("work while the data folder is served, through a socket that only its owner can open", async (t) => {
    const data = join(folder(t), "data");
    const s = await serve(t, data);
    const socket = join(data, "operator.sock");
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    assert.equal(statSync(data).mode & 0o777, 0o700);
    assert.ok(!readdirSync(data).some((name) => name.startsWith(".operator-")));
    await manages(["--data", data], s.url);
    await s.stop();
    assert.ok(!readdirSync(data).includes("operator.sock"));
  });

  test("work on the data folder itself while nobody serves it", async (t) => {
    const data = join(folder(t), "data");
    const before = await serve(t, data);
    await before.stop();
    const place = ["--data", data];
    assert.equal((await json("orgs", "create", "second", ...place)).slug, "second");
    const made = await json("keys", "create", ...place, "--org", "second", "--scope", "admin");
    const { api_keys: listed } = await json("keys", "list", ...place, "--org", "default");
    await json("keys", "revoke", listed[0].id, ...place, "--org", "default");
    const s = await serve(t, data);
    assert.equal((await (await whoami(s.url, made.api_key)).json()).org.slug, "second");
    assert.equal((await whoami(s.url, before.apiKey)).status, 401);
    assert.notEqual(s.apiKey, before.apiKey, "a start whose key was revoked makes another one");
  });

  test("work on a PostgreSQL, and need no data folder for it", async (t) => {
    const server = await postgres();
    t.after(() => server.stop());
    const cwd = folder(t);
    const s = await serve(t, join(cwd, "data"), "--database", server.url);
    await manages(["--database", server.url, "--data", join(cwd, "nothing")], s.url);
    assert.deepEqual(readdirSync(cwd), ["data"]);
  });

  test("work in a folder whose path is too long for a socket, and after the service was killed", async (t) => {
    const deep = join(folder(t), ...Array.from({ length: 5 }, () => "a-folder-with-a-long-name-".repeat(2)));
    mkdirSync(deep, { recursive: true });
    const data = join(deep, "data");
    const first = await serve(t, data);
    assert.equal((await json("orgs", "list", "--data", data)).orgs.length, 1);
    await first.stop("SIGKILL");
    assert.ok(readdirSync(data).includes("operator.sock"), "a killed process leaves its socket");
    const made = await json("keys", "create", "--data", data, "--scope", "read");
    const second = await serve(t, data);
    assert.equal((await whoami(second.url, made.api_key)).status, 200);
    assert.equal((await json("keys", "list", "--data", data)).api_keys.length, 2);
  });

  test("make nothing in a folder that has no service, and say so", async (t) => {
    const cwd = folder(t);
    const { status, stderr } = await refsync(["keys", "list", "--data", join(cwd, "data")]);
    assert.equal(status, 1);
    assert.match(stderr, /there is no service in this folder; name its data folder with --data, or its PostgreSQL/);
    assert.deepEqual(readdirSync(cwd), []);
  });

  test("refuse what is misspelt", async (t) => {
    const place = ["--data", join(folder(t), "data")];
    for (const [args, complaint] of /** @type {const} */ ([
      [["keys", "create", ...place], /--scope/],
      [["keys", "create", ...place, "--scope", "root"], /read, write, admin/],
      [["keys", "create", ...place, "--scope", "read", "--expires-in", "soon"], /such as 90d/],
      [["keys", "create", ...place, "--scope", "read", "--name", "--json"], /looks like an option/],
      [["keys", "remove", "x"], /unknown command/],
      [["keys"], /create/],
    ])) {
      const { status, stdout, stderr } = await refsync([...args]);
      assert.equal(status, 2, args.join(" "));
      assert.match(stdout + stderr, complaint);
    }
  });
});

test("the operator's socket is the API without a credential", async (t) => {
  const data = join(folder(t), "data");
  await serve(t, data);
  const answer = await new Promise((resolve, reject) => {
    request({ socketPath: join(data, "operator.sock"), path: "/v1/default/api-keys" }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    })
      .on("error", reject)
      .end();
  });
  assert.deepEqual(
    answer.api_keys.map((/** @type {Json} */ { name }) => name),
    ["refsync serve"],
  );
});

test("a folder that takes no socket is served all the same, and the log says what does not work", async (t) => {
  const data = join(folder(t), "data");
  mkdirSync(join(data, "operator.sock", "in-the-way"), { recursive: true });
  const s = await serve(t, data);
  assert.equal((await whoami(s.url, s.apiKey)).status, 200);
  assert.match(s.log(), /commands such as refsync keys do not work while this runs/);
  const refused = await refsync(["keys", "list", "--data", data]);
  assert.deepEqual([refused.status, refused.stdout], [1, ""]);
});

test("refsync serve tells the admin key once, and to a terminal only", async (t) => {
  const data = join(folder(t), "data");
  const kept = () => readFileSync(join(data, "api-key"), "utf8").trim();
  const first = await openTty(t, ["serve", "--port", "0", "--data", data]);
  assert.ok(first.includes(kept()), first);
  const second = await openTty(t, ["serve", "--port", "0", "--data", data]);
  assert.ok(!second.includes(kept()), second);
  assert.match(second, /refsync keys create --scope admin --org default/);
  const other = join(folder(t), "data");
  const piped = await openTty(t, ["serve", "--port", "0", "--data", other], { isPiped: true });
  assert.ok(!piped.includes("refsync_"), piped);
});
