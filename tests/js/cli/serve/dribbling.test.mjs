// Upstreams that send a byte every few seconds do not block `refsync serve` for other upstreams.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { listen } from "../../../support/network/listen.mjs";
import { serve } from "../../../support/service/serve.mjs";

test("four upstreams that dribble hold no other repository up", async (t) => {
  const list = `03f8${"a".repeat(40)} refs/heads/${"x".repeat(960)}\n`;
  const dribbling = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/x-git-upload-pack-result" });
    let at = 0;
    const next = () => void response.write(list.charAt(at++ % list.length));
    const timer = setInterval(next, 2000);
    response.on("close", () => clearInterval(timer));
    next();
  });
  const slow = `http://127.0.0.1:${await listen(dribbling)}`;
  const served = await serve();
  t.after(async () => {
    await served.stop();
    dribbling.closeAllConnections();
    dribbling.close();
  });
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  const call = (method, path, body) => served.api(method, `/${served.org}${path}`, body);
  /** @param {string} name */
  const pull = async (name) => (await call("POST", `/${name}/upstream/syncs`, { direction: "pull" })).id;
  /**
   * @param {string} name
   * @param {string} id
   */
  const status = async (name, id) => (await call("GET", `/${name}/upstream/syncs/${id}`)).status;

  const slowRuns = [];
  for (let n = 1; n <= 4; n++) {
    await call("POST", "/repos", { name: `slow-${n}`, upstream: { url: `${slow}/${n}.git` } });
    slowRuns.push(await pull(`slow-${n}`));
  }
  while ((await status("slow-1", slowRuns[0])) === "queued") await sleep(100);
  await call("POST", "/repos", { name: "source" });
  await call("POST", "/repos", { name: "good", upstream: { url: served.gitUrl("source") } });
  const good = await pull("good");
  const start = performance.now();
  while (["queued", "in_progress"].includes(await status("good", good))) {
    assert.ok(performance.now() - start < 30_000, `it is ${await status("good", good)}`);
    await sleep(100);
  }
  assert.equal(await status("good", good), "completed");
  assert.notEqual(await status("slow-1", slowRuns[0]), "completed");
});
