/** A web server for a built page. It forwards `/v1` and Git to the service, so that both have one origin. */

import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname, join } from "node:path";

import { listen } from "../network/listen.mjs";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves `folder`; `close` ends it.
 *
 * @param {string} folder
 * @param {string} service
 */
export async function serveFolder(folder, service) {
  const server = createServer(async (asked, answer) => {
    const path = asked.url ?? "/";
    const { pathname } = new URL(path, "http://h");
    if (pathname.startsWith("/v1/") || pathname.includes(".git/")) {
      const handed = request(new URL(path, service), { method: asked.method, headers: asked.headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      handed.on("error", () => answer.destroy());
      asked.pipe(handed);
      return;
    }
    const file = pathname === "/" ? "/index.html" : pathname;
    try {
      const body = await readFile(join(folder, file));
      answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      answer.writeHead(404).end();
    }
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
