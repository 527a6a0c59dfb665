// The demonstration: a repository `app` whose upstream is `app-upstream`, both hosted by the same service.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { say } from "../command.mjs";
import { withHistory } from "./history.mjs";

const run = promisify(execFile);

/** Makes what is missing of the demonstration; the upstream's address follows the port. */
export async function demonstrate({ url, org, apiKey }) {
  const api = client(`${url}/v1/${org}`, apiKey);
  const upstreamUrl = `${url}/${org}/app-upstream.git`;

  if (!(await api("GET", "/app-upstream"))) await api("POST", "/repos", { name: "app-upstream" });
  const remote = upstreamUrl.replace("://", `://git:${encodeURIComponent(apiKey)}@`);
  if ((await git("ls-remote", remote)) === "") {
    say("filling the demonstration's upstream");
    await withHistory(async (repository) => {
      await git(
        "--git-dir",
        repository,
        "push",
        "--quiet",
        remote,
        "refs/heads/main",
        "refs/heads/release/*:refs/heads/release/*",
        "refs/tags/*:refs/tags/*",
      );
    });
  }

  const app = await api("GET", "/app");
  const upstream = { url: upstreamUrl, auth: { kind: "token", token: apiKey } };
  if (!app) await api("POST", "/repos", { name: "app", upstream });
  else if (app.upstream?.url !== upstreamUrl && isOurs(app.upstream?.url)) await api("PATCH", "/app", { upstream });
}

/** Whether the upstream is the demonstration's, at an earlier port; one that the user chose stays. */
function isOurs(upstreamUrl) {
  return /^http:\/\/127\.0\.0\.1:\d+\/demo\/app-upstream\.git$/.test(upstreamUrl ?? "");
}

function client(base, apiKey) {
  return async (method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.status === 404) return null;
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${answer.error?.message ?? response.status}`);
    return answer;
  };
}

async function git(...args) {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
  // The key is in the address: what git says must not be repeated with it.
  const { stdout } = await run("git", args, { env }).catch((error) => {
    throw new Error(`git ${args.find((arg) => !arg.includes("/")) ?? ""}: exit code ${error.code}`);
  });
  return stdout.trim();
}
