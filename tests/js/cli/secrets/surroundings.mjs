// The surroundings of a service with planted credentials: upstreams, a receiver of webhooks, and the process list.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

import { listen } from "../../../support/network/listen.mjs";
import { spellings } from "./forms.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { Planted } from "./planted.mjs"
 */

/**
 * Git servers that refuse every request and repeat everything that they received.
 *
 * @param {TestContext} t
 */
export async function echo(t) {
  const server = createServer((request, response) => {
    const sent = request.headers.authorization ?? "";
    const decoded = Buffer.from(sent.replace(/^Basic /, ""), "base64").toString();
    const password = decoded.slice(decoded.indexOf(":") + 1);
    const all = [
      ...spellings(password),
      Buffer.from(password).toString("hex"),
      Buffer.from(password).toString("base64url"),
    ];
    const said = `you sent ${sent}, which is ${decoded}, and ${all.join(", ")}`;
    const path = request.url ?? "/";
    const type = "application/x-git-upload-pack-advertisement";
    if (path.startsWith("/refs/") && request.method === "GET") {
      // Uses each spelling that is valid in a ref name.
      const names = all
        .filter((name) => /^[\w%+.-]+$/.test(name) && password)
        .map((name, n) => `refs/heads/x${n}/${name}`);
      const ids = `${"1".repeat(40)} `;
      const lines = [`${ids}refs/heads/main\0agent=git/2\n`, ...names.map((name) => `${ids}${name}\n`)];
      const packets = lines.map((line) => (Buffer.byteLength(line) + 4).toString(16).padStart(4, "0") + line);
      response.writeHead(200, { "content-type": type });
      response.end(`001e# service=git-upload-pack\n0000${packets.join("")}0000`);
    } else if (path.startsWith("/refs/")) {
      response.writeHead(404).end();
    } else if (path.startsWith("/page/")) {
      const page = `<!doctype html><title>No</title><p>${spellings(said).at(-1)}</p>`;
      response.writeHead(400, { "content-type": "text/html" }).end(page);
    } else if (path.startsWith("/json/")) {
      response
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ message: said, errors: [all] }));
    } else if (path.startsWith("/err/")) {
      // A packet has 65,520 bytes at most.
      const line = `ERR ${said}\n`;
      response.writeHead(200, { "content-type": type });
      response.end(
        `001e# service=git-upload-pack\n0000${(Buffer.byteLength(line) + 4).toString(16).padStart(4, "0")}${line}`,
      );
    } else {
      const [, status = "500"] = /^\/(\d+)\//.exec(path) ?? [];
      response.writeHead(Number(status), { "content-type": "text/plain" }).end(said);
    }
  });
  const port = await listen(server);
  t.after(() => server.close());
  return `http://127.0.0.1:${port}`;
}

/**
 * Receives deliveries. Answers 500 to every second one, so that the service reports failures.
 *
 * @param {TestContext} t
 */
export async function receiver(t) {
  /** @type {string[]} */
  const bodies = [];
  const server = createServer(async (request, response) => {
    let body = JSON.stringify(request.headers);
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(bodies.length % 2 === 0 ? 500 : 204).end();
  });
  const port = await listen(server);
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${port}/hook`, bodies };
}

/**
 * The arguments of every process, and the environment of the Git commands that the service started.
 *
 * @param {number | undefined} parent
 */
export function processes(parent) {
  /** @param {string} path */
  const read = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return ids
    .map((id) => {
      const isChild = new RegExp(`^PPid:\\s${parent}$`, "m").test(read(`/proc/${id}/status`));
      const args = read(`/proc/${id}/cmdline`);
      // Until a child process has become Git, it shows its parent's arguments and environment.
      return isChild && args.startsWith("git\0") ? args + read(`/proc/${id}/environ`) : args;
    })
    .join("\n");
}

/** @param {string} value */
export const token = (value) => ({ kind: "token", token: value });

/**
 * Upstreams that accept, refuse, fail, and repeat the data that they received. Each has a credential.
 *
 * @param {string} url
 * @param {string} hostile
 * @param {Planted} planted
 */
export function upstreams(url, hostile, planted) {
  /** @param {string} password */
  const joe = (password) => ({ kind: "username_password", username: "joe", password });
  return {
    good: { url: `${url}/default/up.git`, auth: token(planted.apiKey) },
    refused: { url: `${url}/default/up.git`, auth: token(planted.token) },
    signed: { url: `${url}/default/up.git`, auth: token(planted.expired) },
    unauthorized: { url: `${hostile}/401/x.git`, auth: token(planted.privateKey) },
    forbidden: { url: `${hostile}/403/x.git`, auth: joe(planted.password) },
    strange: { url: `${hostile}/418/x.git`, auth: token(planted.pemLine) },
    protocol: { url: `${hostile}/err/x.git`, auth: joe(planted.password) },
    key: { url: `${hostile}/err/x.git`, auth: token(planted.jwk) },
    page: { url: `${hostile}/page/x.git`, auth: token(planted.token) },
    json: { url: `${hostile}/json/x.git`, auth: joe(planted.password) },
    names: { url: `${hostile}/refs/x.git`, auth: joe(planted.password) },
    namesToo: { url: `${hostile}/refs/x.git`, auth: token(planted.token) },
    inUrl: { url: `${hostile.replace("://", `://joe:${encodeURIComponent(planted.urlPassword)}@`)}/401/x.git` },
    // The service tries these three times.
    failing: { url: `${hostile}/500/x.git`, auth: joe(planted.jwk) },
    unreachable: { url: `http://127.0.0.1:9/x.git`, auth: token(planted.token) },
    nobody: { url: "http://nobody.invalid/x.git", auth: joe(planted.password) },
  };
}
