import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { gitHttpBackend } from "refsync/node";

import { eventually } from "../../support/eventually.mjs";
import { folder } from "../../support/folder.mjs";
import { gitNow as git } from "../../support/git/git.mjs";

/** @import { TestContext } from "node:test" */

/**
 * A host with the repositories `few` and `many`, which has 60,000 branches.
 *
 * @param {TestContext} t
 */
async function hosted(t) {
  const root = join(folder(t), "it's a folder");
  const host = gitHttpBackend({ root });
  for (const id of ["few", "many"]) await host.create(id, "main");
  const path = join(root, "many.git");
  const tree = execFileSync("git", ["-C", path, "mktree"], { input: "", encoding: "utf8" }).trim();
  const commit = await git(path, "commit-tree", "-m", "one", tree);
  const lines = Array.from({ length: 60_000 }, (_, n) => `${commit} refs/heads/b${`${n}`.padStart(6, "0")}\n`);
  writeFileSync(join(path, "packed-refs"), `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`);
  /**
   * @param {string} id
   * @param {RequestInit} [init]
   */
  const list = (id, init) => host.fetch(new Request(`http://git/${id}.git/info/refs?service=git-receive-pack`, init));
  return { root, list };
}

/** With protocol 1 `git http-backend` answers, and names the protocol in a line of its own. */
const byHttpBackend = { headers: { "git-protocol": "version=1" } };

/** The ids of this process's shells. */
function shells() {
  const isOwn = (/** @type {string} */ pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(parent) === process.pid && stat.includes("(sh)");
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOwn(name))
    .map(Number);
}

test("the refs for a push are those of `git http-backend`, byte by byte", async (t) => {
  const { list } = await hosted(t);
  for (const id of ["few", "many", "few"]) {
    const [own, other] = [await list(id), await list(id, byHttpBackend)];
    assert.equal(own.status, other.status);
    assert.equal(own.headers.get("content-type"), other.headers.get("content-type"));
    const session = (/** @type {string} */ text) => text.replace(/ session-id=\S+/, "");
    const expected = session(await other.text()).replace("000eversion 1\n", "");
    assert.equal(session(await own.text()), expected);
  }
});

test("many lists at once, slow readers and readers that leave do not mix", async (t) => {
  const { list } = await hosted(t);
  const before = shells().length;
  const [few, many] = [await (await list("few")).text(), await (await list("many")).text()];
  await Promise.all(
    Array.from({ length: 24 }, async (_, n) => {
      const id = n % 3 === 0 ? "many" : "few";
      const { body } = await list(id);
      assert.ok(body);
      if (n % 4 === 1) return body.cancel();
      let text = "";
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (n % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assert.equal(text.length, (id === "many" ? many : few).length);
    }),
  );
  await eventually(() => shells().length <= before + 4, { what: "at most four shells wait for work" });
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(list("few", { signal: controller.signal }));
  assert.equal(await (await list("few")).text(), few);
});

test("a shell that was killed is replaced, and a damaged repository is the host's to explain", async (t) => {
  const { root, list } = await hosted(t);
  await (await list("few")).text();
  for (const pid of shells()) process.kill(pid, "SIGKILL");
  const after = await list("few");
  assert.match(await after.text(), /report-status/);
  rmSync(join(root, "few.git", "HEAD"));
  const [own, other] = [await list("few"), await list("few", byHttpBackend)];
  assert.equal(own.status, other.status);
  assert.equal(await own.text(), await other.text());
  assert.match(await (await list("many")).text(), /b059999/);
});

test("a process that has listed refs ends by itself", async (t) => {
  const root = folder(t);
  const script = `
    import { gitHttpBackend } from "refsync/node";
    const host = gitHttpBackend({ root: ${JSON.stringify(root)} });
    await host.create("r", "main");
    const answer = await host.fetch(new Request("http://git/r.git/info/refs?service=git-receive-pack"));
    process.stdout.write((await answer.text()).slice(0, 12));`;
  const args = ["--input-type=module", "--eval", script];
  const said = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  assert.equal(said, "001f# servic");
});
