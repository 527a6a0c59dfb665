/** A web server for a built page, which hands `/v1` and Git on to the service, so that both have one origin. */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname, join } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves `folder`; `close` ends it. */
export async function serveFolder(folder, service) {
  const server = createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url, "http://h");
    if (pathname.startsWith("/v1/") || pathname.includes(".git/")) {
      const handed = request(new URL(asked.url, service), { method: asked.method, headers: asked.headers }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
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
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
