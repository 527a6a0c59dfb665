/** The real service, as a user starts it: `refsync serve` on a free port, with a data folder of its own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../pkg/bin/refsync.js", import.meta.url));

/**
 * Starts the service; resolves once it answers. `api` calls it without the client package, so that a test's set-up does
 * not lean on what the test judges.
 */
export async function serve() {
  const data = await mkdtemp(join(tmpdir(), "refsync-test-"));
  const child = spawn(
    process.execPath,
    [BIN, "serve", "--json", "--port", "0", "--allow-private-network", "--data", data],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, "line"), ended.then(() => null)]);
  if (!first) {
    await rm(data, { recursive: true, force: true });
    throw new Error(`refsync serve ended before it answered: ${said}`);
  }
  // Whatever it prints further must not fill the pipe.
  lines.on("line", () => {});
  const { url, org, api_key: apiKey } = JSON.parse(first[0]);
  const origin = new URL(url).origin;
  const api = async (method, path, body) => {
    const answer = await fetch(`${origin}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  return {
    origin,
    org,
    apiKey,
    api,
    stop,
    /** A hosted repository's address, without its credential. */
    remote: (repo) => `${origin}/${org}/${repo}.git`,
    /** The same for `git`, with the key in it. */
    gitUrl: (repo) => `${origin.replace("://", `://git:${encodeURIComponent(apiKey)}@`)}/${org}/${repo}.git`,
    /** What the service wrote to its standard error. */
    log: () => said,
  };
}
