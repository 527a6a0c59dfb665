// Backups of a service that has damaged repositories.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { postgres } from "../../../support/service/postgres.mjs";
import { folder, git, refsync, serve, terminal } from "../support.mjs";
import { backedUp, changed, garbled, isDamaged, nameOf, packOf } from "./filled.mjs";

/** @import { Json } from "../../../support/json.mjs" */

for (const kind of ["the embedded database", "PostgreSQL"]) {
  test(`damaged repositories do not stop a backup, which names them; the others are restored (${kind})`, async (t) => {
    const { data, ids, before, tree } = await backedUp(t);
    /** @param {string} name */
    const repository = (name) => join(data, "repositories", `${ids[name]}.git`);
    /** @type {NodeJS.ProcessEnv} */
    const env = {};
    if (kind === "PostgreSQL") {
      const server = await postgres();
      t.after(() => server.stop());
      env.REFSYNC_DATABASE_URL = server.url;
      const first = join(folder(t), "first");
      assert.equal((await refsync(["backup", first, "--data", data])).status, 0);
      rmSync(data, { recursive: true });
      assert.equal((await refsync(["restore", first, "--data", data], env)).status, 0);
    }
    // One repository has lost everything, and the other a file that only main needs.
    rmSync(repository("app"), { recursive: true });
    const main = await git(repository("second"), "rev-parse", "main");
    const pack = readFileSync(packOf(repository("second")));
    rmSync(join(repository("second"), "objects/pack"), { recursive: true });
    execFileSync("git", ["--git-dir", repository("second"), "unpack-objects", "-q"], { input: pack });
    rmSync(join(repository("second"), "objects", main.slice(0, 2), main.slice(2)));

    const backup = join(folder(t), "backup");
    const made = await refsync(["backup", backup, "--data", data], env);
    assert.equal(made.status, 5, made.stderr);
    assert.match(made.stdout, /and 2 repositories are in/);
    assert.match(made.stderr, new RegExp(`damaged: repository default/app \\(${ids.app}\\): its folder is missing`));
    assert.match(
      made.stderr,
      new RegExp(`damaged: repository default/second .*missing object ${main}.*but for \\d refs that are whole`),
    );
    const manifest = JSON.parse(readFileSync(join(backup, "backup.json"), "utf8"));
    assert.deepEqual(
      manifest.damaged.map((/** @type {Json} */ { name, id, refs }) => [name, id, refs > 0]),
      [
        ["default/app", ids.app, false],
        ["default/second", ids.second, true],
      ],
    );
    const checked = await refsync(["restore", "--check", backup]);
    assert.equal(checked.status, 5, checked.stderr);
    assert.match(checked.stderr, /damaged: repository default\/app/);

    const other = join(folder(t), "data");
    const restored = await refsync(["restore", backup, "--data", other]);
    assert.equal(restored.status, 5, restored.stderr);
    assert.match(restored.stdout, /and 2 repositories are restored/);
    assert.match(restored.stderr, /damaged: repository default\/app.*\n.*damaged: repository default\/second/);
    const s = await serve(t, other, "--allow-private-network");
    const shown = (await s.api("GET", "/repos")).body.repos;
    assert.deepEqual(shown.filter(isDamaged).map(nameOf), ["second", "app"]);
    for (const name of ["up", "empty"]) {
      assert.equal(await git(tree, "ls-remote", s.remote(name)), before.refs[name]);
    }
    // A pull from the upstream, which still exists, makes each of them whole again.
    for (const name of ["app", "second"]) {
      const upstream = { url: `${s.url}/default/up.git`, auth: { kind: "token", token: s.apiKey } };
      await s.api("PATCH", `/${name}`, { upstream });
      const { body } = await s.api("POST", `/${name}/upstream/syncs`, { direction: "pull" });
      const run = await terminal(s, body.id, name);
      assert.equal(run.status, "completed", run.error ?? "");
      assert.equal((await s.api("GET", `/${name}`)).body.damaged, undefined);
      assert.equal(await git(tree, "ls-remote", s.remote(name)), await git(tree, "ls-remote", s.remote("up")));
    }
  });
}

test("the service shows what a backup found to be damaged", async (t) => {
  const { data, ids } = await backedUp(t);
  const path = join(data, "repositories", `${ids.app}.git`);
  changed(packOf(path), garbled);
  assert.equal((await refsync(["backup", join(folder(t), "backup"), "--data", data])).status, 5);
  const s = await serve(t, data);
  const { repos } = (await s.api("GET", "/repos")).body;
  assert.deepEqual(repos.filter(isDamaged).map(nameOf), ["app"]);
});
