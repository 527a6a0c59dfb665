// `refsync restore` and `refsync restore --check` on backups that are complete, cut short or changed.
import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { folder, refsync } from "../support.mjs";
import { backedUp, changed, contents, garbled, packOf } from "./filled.mjs";

test("what is no whole backup is refused, and so is one of a newer schema", async (t) => {
  const place = folder(t);
  const restore = async () => (await refsync(["restore", place, "--data", join(folder(t), "data")])).stderr;
  assert.match(await restore(), /is not a backup, or one that was not finished/);
  writeFileSync(join(place, "database.jsonl"), "");
  writeFileSync(join(place, "backup.json"), '{"format":1,"schema":999}');
  assert.match(await restore(), /schema 999, which this refsync does not know; use a newer refsync/);
  writeFileSync(join(place, "backup.json"), '{"format":2}');
  assert.match(await restore(), /newer refsync/);
});

test("--check tells that a backup is whole, and writes nothing", async (t) => {
  const { backup } = await backedUp(t);
  const was = contents(backup);
  const cwd = folder(t);
  const { status, stdout, stderr } = await refsync(["restore", "--check", backup, "--data", join(cwd, "data")]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /is whole: \d+ rows and 4 repositories, as of 20/);
  // Paths as users type them.
  const typed = await refsync(["restore", "--check", "./backup"], {}, dirname(backup));
  assert.equal(typed.status, 0, typed.stderr);
  assert.deepEqual(contents(backup), was);
  assert.equal(existsSync(join(cwd, "data")), false);
  const restored = await refsync(["restore", "./backup", "--data", "./data"], {}, dirname(backup));
  assert.equal(restored.status, 0, restored.stderr);
  const again = await refsync(["backup", "./again", "--data", "./data"], {}, dirname(backup));
  assert.equal(again.status, 0, again.stderr);
});

/**
 * The change to a backup, the message of `--check`, and the effect on `restore`: it refuses the backup too, or it restores
 * everything except that repository.
 *
 * @type {Record<string, [spoil: (at: string, repo: string) => void, says: RegExp, isOneRepository?: boolean]>}
 */
const spoilt = {
  "the rows are cut short": [
    (at) => changed(join(at, "database.jsonl"), (b) => b.subarray(0, -20)),
    /database\.jsonl: has \d+ bytes, not the \d+/,
  ],
  "a row was changed": [
    (at) =>
      changed(join(at, "database.jsonl"), (b) => Buffer.from(b.toString().replace('"name":"app"', '"name":"apq"'))),
    /database\.jsonl: was changed since it was written/,
  ],
  "the rows are gone": [(at) => rmSync(join(at, "database.jsonl")), /database\.jsonl: is missing/],
  "the list of repositories is gone": [
    (at) => rmSync(join(at, "repositories.jsonl")),
    /repositories\.jsonl: is missing/,
  ],
  "the secret key is gone": [(at) => rmSync(join(at, "secret.key")), /secret\.key: is missing/],
  "the manifest is cut short": [
    (at) => changed(join(at, "backup.json"), (b) => b.subarray(0, 100)),
    /backup\.json: is damaged/,
  ],
  "the manifest is gone": [(at) => rmSync(join(at, "backup.json")), /is not a backup, or one that was not finished/],
  "a repository is gone": [
    (_, repo) => rmSync(repo, { recursive: true }),
    /default\/app .*: its folder is missing/,
    true,
  ],
  "a ref is gone": [
    (_, repo) => changed(join(repo, "packed-refs"), (b) => Buffer.from(b.toString().replace(/^.*release\/1\n/m, ""))),
    /default\/app .*: it has 3 refs, and not the 4/,
    true,
  ],
  "a pack was changed": [(_, repo) => changed(packOf(repo), garbled), /default\/app .*: /, true],
};
test("--check finds whatever is not as it was written; restore leaves out a repository, and refuses anything else", async (t) => {
  const { backup, ids } = await backedUp(t);
  for (const [what, [spoil, says, isOneRepository = false]] of Object.entries(spoilt)) {
    const copy = join(folder(t), "copy");
    cpSync(backup, copy, { recursive: true });
    spoil(copy, join(copy, "repositories", `${ids.app}.git`));
    const checked = await refsync(["restore", "--check", copy]);
    assert.equal(checked.status, 1, what);
    assert.match(checked.stderr, says, what);
    const data = join(folder(t), "data");
    const restored = await refsync(["restore", copy, "--data", data]);
    if (isOneRepository) {
      assert.equal(restored.status, 5, `${what}: ${restored.stderr}`);
      assert.match(restored.stderr, /damaged: repository default\/app .*its copy in the backup is damaged/, what);
      for (const name of ["up", "second", "empty"])
        assert.ok(existsSync(join(data, "repositories", `${ids[name]}.git`)), name);
    } else {
      assert.equal(restored.status, 1, what);
      assert.match(restored.stderr, says, what);
      assert.equal(existsSync(data), false, `${what}: nothing is left`);
    }
  }
});
