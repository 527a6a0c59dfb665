/**
 * Credentials from Git's own helpers (`gitcredentials`), such as a keychain: where Git is installed, what it would send to the
 * same URL.
 *
 * @module
 */

import { execFile } from "node:child_process";

import type { Credentials } from "../../engine.js";

/** What a helper gave. */
export interface Filled extends Credentials {
  /** As the helpers want to be told of it. */
  description: string;
}

/**
 * Asks the helpers for the credentials of a URL; undefined where there is no Git, or none of them has any. Nobody is asked on
 * the terminal.
 */
export async function fill(url: string, username: string | undefined): Promise<Filled | undefined> {
  const who = username === undefined ? "" : `username=${username}\n`;
  // Behind `url`, which would reset it.
  const description = await gitCredential("fill", `url=${url}\n${who}\n`);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(description ?? "")?.[1];
  const password = value("password");
  if (description === undefined || password === undefined) return undefined;
  return { username: value("username"), password, description };
}

/** Tells the helpers whether the server took what they gave, so that they keep it or forget it. */
export async function tell({ description }: Filled, isAccepted: boolean): Promise<void> {
  await gitCredential(isAccepted ? "approve" : "reject", description);
}

/** What `git credential` prints; undefined where it fails. */
function gitCredential(action: "fill" | "approve" | "reject", input: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
    const child = execFile("git", ["credential", action], { env }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
    // Where it does not start, or does not read, it has failed already.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
