// A script that uses the client ends when its work has ended, even if its calls failed.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { listen } from "../../support/network/listen.mjs";
import { ended, GRACE } from "../../support/process/process.mjs";
import { serve } from "../../support/service/serve.mjs";

const PACKAGE = new URL("../../../pkg/dist/index.js", import.meta.url).href;

/** The actions of a script with a client, and its output. `silent` is a server that never answers. */
const scripts = {
  "a call that succeeds": ["(await client.whoami()).org.slug", "default"],
  "a call that fails": ["await client.repos.get({ repo: 'none' }).catch(({ name }) => name)", "NotFoundError"],
  "a list that is left early": [
    "(async () => { for await (const { name } of client.repos.list()) return name; })()",
    "app",
  ],
  "a run that is waited for": ["(await client.syncs.wait(await pull())).status", "completed"],
  "a run that is watched, and left": [
    "(async () => { for await (const { status } of client.syncs.watch(await pull())) return status; })()",
    "queued",
  ],
  "a wait that takes too long": [
    "await client.syncs.wait({ ...(await pull('held')) }, { timeout: 300 }).catch(({ name }) => name)",
    "TimeoutError",
  ],
  "a wait that is given up": [
    "await client.syncs.wait(await pull('held'), { signal: AbortSignal.timeout(300) }).catch(({ name }) => name)",
    "AbortError",
  ],
  "a call that takes too long": ["await silent.whoami({ timeout: 300 }).catch(({ name }) => name)", "TimeoutError"],
  "a call that is given up": [
    "await silent.whoami({ signal: AbortSignal.timeout(300) }).catch(({ name }) => name)",
    "AbortError",
  ],
};

test("a script ends with its last call", async (t) => {
  const server = createServer(() => {});
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const silent = `http://127.0.0.1:${port}`;
  const service = await serve();
  t.after(() => service.stop());
  await service.api("POST", `/${service.org}/repos`, { name: "source" });
  await service.api("POST", `/${service.org}/repos`, { name: "held", upstream: { url: `${silent}/x.git` } });
  const auth = { kind: "token", token: service.apiKey };
  await service.api("POST", `/${service.org}/repos`, {
    name: "app",
    upstream: { url: service.remote("source"), auth },
  });
  for (const [name, [expression, expected]] of Object.entries(scripts)) {
    await t.test(name, async () => {
      const script = `
        const { SyncClient } = await import(${JSON.stringify(PACKAGE)});
        const client = new SyncClient({ apiUrl: "${service.origin}", apiKey: "${service.apiKey}", maxRetries: 0 });
        const silent = new SyncClient({ apiUrl: "${silent}", apiKey: "k", maxRetries: 0 });
        const pull = (repo = "app") => client.repos.syncUpstream({ repo, direction: "pull" });
        console.log(await ${expression});`;
      const { line, lived } = await ended(["--input-type=module", "--eval", script]);
      assert.equal(line, expected);
      assert.ok(lived < GRACE, `it lived ${lived} ms on`);
    });
  }
});
