// Tests the OpenAPI document against the service with schemathesis. It generates valid and invalid calls from the document.
// The service must answer them as documented, and never with a 5xx.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { start } from "../support.mjs";

/** @import { TestContext } from "node:test" */

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const command = join(root, "target/tools/schemathesis/bin/schemathesis");
const examples = process.env.REFSYNC_SOAK ? "100" : "10";

/**
 * Runs schemathesis on a served document. Resolves to its exit code and its output.
 *
 * @param {TestContext} t
 * @param {{ origin: string, key: string, config?: string, args?: string[], mayBeUnavailable?: boolean }} options
 */
async function schemathesis(t, { origin, key, config = "", args = [], mayBeUnavailable = false }) {
  assert.ok(existsSync(command), "schemathesis is not installed; run: node scripts/setup.mjs --tests");
  const folder = await mkdtemp(join(tmpdir(), "refsync-schemathesis-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "schemathesis.toml"), config);
  const conformance = "status_code_conformance,content_type_conformance,response_schema_conformance";
  const checks = mayBeUnavailable ? conformance : `not_a_server_error,${conformance}`;
  const child = spawn(
    command,
    [
      ...["run", `${origin}/v1/openapi.json`, "--url", `${origin}/v1`, "--header", `Authorization: Bearer ${key}`],
      ...["--checks", checks, "--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", "1"],
      ...["--request-timeout", "10", "--generation-database", "none", "--no-color", "--warnings", "off", ...args],
    ],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, said };
}

/**
 * A service with an object for every path parameter, as schemathesis's configuration names them.
 *
 * @param {TestContext} t
 */
async function furnished(t) {
  const s = await start(t);
  const origin = await s.listen();
  await s.ok("POST", "/acme/repos", { name: "source" });
  const upstream = { url: `${origin}/acme/source.git`, auth: { kind: "token", token: s.keys.write } };
  const repo = await s.ok("POST", "/acme/repos", { name: "app", upstream });
  const run = await s.ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await s.ok("POST", `/acme/app/upstream/syncs/${run.id}/cancel`);
  const hook = await s.ok("POST", "/acme/app/upstream/hook");
  const target = await s.ok("POST", "/acme/webhook-targets", { url: "https://hooks.example.com/", events: ["push"] });
  const config = `[parameters]
"path.org" = "acme"
"path.repo" = "${repo.id}"
"path.sync_id" = "${run.id}"
"path.target_id" = "${target.id}"
"path.hook_id" = "${hook.url.split("hook_")[1]}"
"header.Prefer" = "wait=0"
`;
  return { ...s, origin, config, key: s.keys.admin };
}

test("the document is served without a credential, as it is in the repository", async (t) => {
  const { call } = await start(t);
  const [status, body] = await call("GET", "/openapi.json", undefined, { key: null });
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  assert.deepEqual(body, JSON.parse(await readFile(join(root, "src/service/router/openapi/openapi.json"), "utf8")));
});

test("calls on what is there are answered as the document says", async (t) => {
  const s = await furnished(t);
  // These ask the upstream or the origin, which an example of updateRepo moves to a host that is not reached from here.
  const asking = ["planSync", "listBackups", "restoreRef"];
  const asked = await schemathesis(t, { ...s, args: asking.flatMap((id) => ["--include-operation-id", id]) });
  assert.equal(asked.code, 0, asked.said);
  // Its answer about a repository that is not fresh has the status 503.
  const freshness = { args: ["--include-operation-id", "showFreshness"], mayBeUnavailable: true };
  const fresh = await schemathesis(t, { ...s, ...freshness });
  assert.equal(fresh.code, 0, fresh.said);
  // Deletions are left out, because the calls after them would have no target or repository to use. No worker brings the commit
  // that ensureCommit waits for.
  const left = [...asking, "showFreshness", "ensureCommit", "deleteRepo", "deleteWebhookTarget"];
  const skipped = left.flatMap((id) => ["--exclude-operation-id", id]);
  const { code, said } = await schemathesis(t, { ...s, args: skipped });
  assert.equal(code, 0, said);
  t.diagnostic(/(\d+) generated/.exec(said)?.[0] ?? "");
});

test("calls on what is not there are answered as the document says", async (t) => {
  const s = await furnished(t);
  // The document's own example of a name is a repository that is there.
  const config = `[parameters]
"path.repo" = "no-such-repo"
`;
  const { code, said } = await schemathesis(t, { ...s, config });
  assert.equal(code, 0, said);
  t.diagnostic(/(\d+) generated/.exec(said)?.[0] ?? "");
});
