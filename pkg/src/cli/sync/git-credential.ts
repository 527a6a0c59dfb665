/**
 * Credentials from Git's own helpers (`gitcredentials`), such as a keychain. If Git is installed, these are the credentials that Git
 * would send to the same URL.
 *
 * @module
 */

import { execFile } from "node:child_process";

import type { Credentials } from "../../engine.js";

/** The answer of a helper. */
export interface Filled extends Credentials {
  /** The text that tells the helpers the result. */
  description: string;
}

/**
 * Asks the helpers for the credentials of a URL. Undefined if Git is not installed, or if no helper has credentials. Never asks the
 * user on the terminal.
 */
export async function fill(url: string, username: string | undefined): Promise<Filled | undefined> {
  const who = username === undefined ? "" : `username=${username}\n`;
  // After `url`, because `url` would reset it.
  const description = await gitCredential("fill", `url=${url}\n${who}\n`);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(description ?? "")?.[1];
  const password = value("password");
  if (description === undefined || password === undefined) return undefined;
  return { username: value("username"), password, description };
}

/** Tells the helpers whether the server accepted the credentials, so that they store or delete them. */
export async function tell({ description }: Filled, isAccepted: boolean): Promise<void> {
  await gitCredential(isAccepted ? "approve" : "reject", description);
}

/** The output of `git credential`; undefined if it fails. */
function gitCredential(action: "fill" | "approve" | "reject", input: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
    const child = execFile("git", ["credential", action], { env }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
    // If Git does not start or does not read its input, the exit code reports it.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
