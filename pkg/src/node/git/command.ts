/**
 * Runs Git on the hosted repositories, in an environment without this process's own variables.
 *
 * @module
 */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * The settings of hosted repositories. They are passed to each command and are not in the repositories' `config` files. So a new
 * version of refsync changes them for all repositories.
 */
const settings: Record<string, string> = {
  // The service has already authorised the caller.
  "http.receivepack": "true",
  "http.uploadpack": "true",
  // Smart HTTP only: the service authorises its calls, but not paths of loose files.
  "http.getanyfile": "false",
  // The engine fetches commits without trees (`filter`), and may want objects that a branch has left meanwhile.
  "uploadpack.allowFilter": "true",
  "uploadpack.allowAnySHA1InWant": "true",
  // Git's own default. A mirror must accept existing histories, and some have old, harmless defects. Hashes and connectivity are still
  // checked.
  "receive.fsckObjects": "false",
  // Housekeeping runs in its own process after the push was answered.
  "receive.autogc": "true",
  "gc.autoDetach": "true",
  "core.logAllRefUpdates": "false",
  // The data folder may belong to another user than this process, for example in a container's volume.
  "safe.directory": "*",
  // A replace ref makes Git read one object as another, for everybody who uses the repository. Nobody may push one, and existing
  // ones are hidden. The environment below makes every command ignore them.
  "transfer.hideRefs": "refs/replace",
  // A push may not make the repository a shallow one.
  "receive.shallowUpdate": "false",
};

/** The whole environment of a Git command below `root`. Git's variables are not taken from this process. */
export function gitEnvironment(root: string): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C",
    HOME: root,
    XDG_CONFIG_HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    // Git ignores replace refs and grafts (there is no file at this path).
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

/** Runs `git` to its end. If it fails, rejects with its stderr. */
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
  /** The last 8 KB of its stderr. */
  stderr: string;
}

/** Runs `git` to its end, and passes its output on as it comes. Rejects only if Git is not installed. */
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
