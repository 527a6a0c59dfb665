/**
 * Running Git on the hosted repositories: where its programs are, and an environment that nothing else leaks into.
 *
 * @module
 */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * How hosted repositories behave. It goes with each command instead of into each repository's `config` file, so that it
 * changes for all of them with the version that serves them; a repository's own `config` says nothing of these.
 */
const settings: Record<string, string> = {
  // Whoever gets here was let in by the service.
  "http.receivepack": "true",
  "http.uploadpack": "true",
  // Smart HTTP only; the service checks its two calls, not paths of loose files.
  "http.getanyfile": "false",
  // The engine proves fast-forwards from commits alone, and wants objects that a branch has moved away from meanwhile.
  "uploadpack.allowFilter": "true",
  "uploadpack.allowAnySHA1InWant": "true",
  // As Git's own default: a mirror must take the histories that exist, some with old, harmless defects. Hashes and
  // connectivity are checked all the same.
  "receive.fsckObjects": "false",
  // Housekeeping runs in a process of its own once the push has its answer.
  "receive.autogc": "true",
  "gc.autoDetach": "true",
  "core.logAllRefUpdates": "false",
  // A data folder may belong to another user than the one who serves it, such as a container's volume.
  "safe.directory": "*",
  // A replace ref makes Git read one object as another, for everybody who uses the repository. Nobody may push one, and existing
  // ones are hidden. The environment below makes every command ignore them.
  "transfer.hideRefs": "refs/replace",
  // A push may not make the repository a shallow one.
  "receive.shallowUpdate": "false",
};

/** The whole environment of a Git command below `root`; nothing of Git's own comes from our own environment. */
export function gitEnvironment(root: string): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C",
    HOME: root,
    XDG_CONFIG_HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    // Objects are read as they are: no replace refs, and no file of grafts (there is none at this path).
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: join(root, ".no-grafts"),
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
  };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

/** Runs `git` to its end. Rejects with what it said on stderr. */
export async function git(root: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await run("git", args, { cwd: root, env: gitEnvironment(root) });
    return stdout.trimEnd();
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT") throw new Error("git is not installed, or not in PATH", { cause: error });
    throw new Error(`git ${args[0]}: ${stderr?.trim() || (error as Error).message}`, { cause: error });
  }
}

/** The result of a Git command. */
export interface GitEnd {
  /** Null if a signal ended it. */
  code: number | null;
  /** The last 8 KB of what it said on stderr. */
  stderr: string;
}

/** Runs `git` to its end, however it ends, and passes its output on as it comes. Rejects only if Git is not installed. */
export function gitEnd(root: string, args: string[], onOutput?: (chunk: Buffer) => void): Promise<GitEnd> {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", onOutput ? "pipe" : "ignore", "pipe"] as const;
    const child = spawn("git", args, { cwd: root, env: gitEnvironment(root), stdio: [...stdio] });
    let stderr = "";
    if (onOutput) child.stdout?.on("data", onOutput);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-8192);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? new Error("git is not installed, or not in PATH", { cause: error }) : error);
    });
    child.on("close", (code) => resolve({ code, stderr: stderr.trim() }));
  });
}
