/** The real values for the placeholders of the documents. */

import { join } from "node:path";

import { freePort } from "../../support/network/listen.mjs";

/** The address of a page. No test opens it; the relay compares it with the browser's origin. */
export const PAGE = "https://dashboard.test";
/** The credential of `https://git.example.com/app.git`. */
const TOKEN = "the-token-of-app";
/** The password of every PostgreSQL user that the documents name. */
export const PASSWORD = "the-password-of-refsync";
/** The databases that the documents name. */
export const DATABASES = ["refsync", "copy"];

/**
 * The placeholders of the documents, and the values that the test types. A document's data, ports and hosts become those of
 * this machine. The rest of a command stays unchanged.
 *
 * @type {[name: string, value: (things: Things) => string][]}
 */
export const PLACEHOLDERS = [
  ["https://github.com/acme/app.git", ({ upstream }) => upstream],
  ["https://git.example.com/app.git", ({ origin }) => origin],
  ["--allow-host github.com --allow-host gitlab.com", ({ host }) => `--allow-host ${host} --allow-host gitlab.test`],
  ["https://dashboard.example.com", () => PAGE],
  ["REFSYNC_DESTINATION_TOKEN=…", () => `REFSYNC_DESTINATION_TOKEN=${TOKEN}`],
  ["TOKEN=…", () => `TOKEN=${TOKEN}`],
  ['"token": "…"', () => `"token": "${TOKEN}"`],
  ["PGPASSWORD=…", () => `PGPASSWORD=${PASSWORD}`],
  ["postgres://refsync@db.example.com/", ({ postgres }) => postgres],
  ["/srv/", ({ folder }) => join(folder, "shared/")],
  // The default ports may be in use on this machine, and its own addresses are private.
  ["8722", ({ port }) => String(port)],
  ["refsync serve", ({ port }) => `refsync serve --port ${port} --allow-private-network`],
  ["refsync worker", () => "refsync worker --allow-private-network"],
  ["refsync proxy", ({ port }) => `refsync proxy --port ${port} --allow-private-network`],
];

/** Texts that must not remain in a typed command. */
const LEFT_OVER = /…|\bexample\.|\b(github|gitlab)\.com|\/srv\//;

/**
 * @typedef {object} Things The values of one document.
 * @property {string} folder Empty at first; the commands are typed in a folder in it.
 * @property {number} port
 * @property {string} host The Git host, as an origin.
 * @property {string} upstream A repository that everyone can read, with one commit on `main`.
 * @property {string} origin An empty repository that asks for a token.
 * @property {string} postgres
 */

/**
 * Makes the things for a document.
 *
 * @param {string} name
 * @param {{ folder: string, server: Awaited<ReturnType<typeof import("../../support/git/git-server.mjs").gitServer>>, postgres: string }} shared
 * @returns {Promise<Things>}
 */
export async function thingsFor(name, { folder, server, postgres }) {
  const upstream = await server.create(`${name}-upstream`);
  await server.commit(`${name}-upstream`, "one");
  const origin = await server.create(`${name}-origin`, { token: TOKEN });
  return { folder, port: await freePort(), host: server.origin, upstream, origin, postgres };
}

/**
 * A document's command in its typed form. Throws if a placeholder has no value.
 *
 * @param {string} command
 * @param {Things} things
 */
export function filled(command, things) {
  // Longest first, so that a whole URL is replaced and not only a part of it.
  const names = PLACEHOLDERS.map(([name]) => name).sort((a, b) => b.length - a.length);
  const pattern = new RegExp(names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  const values = new Map(PLACEHOLDERS);
  const left = LEFT_OVER.exec(command.replace(pattern, ""));
  if (left) throw new Error(`"${left[0]}" is a placeholder; add to tests/js/docs/things.mjs what stands for it`);
  return command.replace(pattern, (name) => values.get(name)?.(things) ?? name);
}
