// The surroundings for tests of the API's public SDKs: a service with a listener and a worker, an upstream, and a webhook
// receiver.
import { join } from "node:path";

import { work } from "refsync/node";

import { receive } from "../service/receiver.mjs";
import { eventually, git, start } from "../service/support.mjs";

/** The events of a walk through all calls, and their numbers. */
export const events = {
  "repo.created": 1,
  "repo.updated": 2,
  "repo.deleted": 1,
  "sync.queued": 2,
  "sync.in_progress": 2,
  "sync.completed": 1,
  "sync.failed": 1,
  push: 1,
};

/**
 * Starts the service. The repository `source` has a commit, and `plain` has no upstream.
 *
 * @param {import("node:test").TestContext} t
 */
export async function working(t) {
  const s = await start(t);
  const url = await s.listen();
  const hook = await receive(t);
  await s.ok("POST", "/acme/repos", { name: "source" });
  await s.ok("POST", "/acme/repos", { name: "plain" });
  await git(s.folder, "init", "-q", "-b", "main", "work");
  const tree = join(s.folder, "work");
  await git(tree, "commit", "-q", "--allow-empty", "-m", "one");
  const source = `${url.replace("//", `//x:${s.keys.write}@`)}/acme/source.git`;
  await git(tree, "push", "-q", source, "main");
  const stop = new AbortController();
  const worker = work(s.service, { signal: stop.signal, pollInterval: 50 });
  t.after(() => stop.abort());
  return {
    ...s,
    apiUrl: `${url}/v1`,
    upstream: { url: `${url}/acme/source.git`, token: s.keys.write },
    hook,
    tree,
    source,
    /** Pushes a tag to `source`. */
    push: () => git(tree, "push", "-q", source, "HEAD:refs/tags/pushed"),
    /** Ends the work after all deliveries of `events`, and returns the deliveries. */
    async delivered() {
      await eventually(() => hook.types().includes("repo.deleted") && hook.types().includes("sync.failed"));
      stop.abort();
      await worker.stopped;
      return hook.deliveries;
    },
  };
}
