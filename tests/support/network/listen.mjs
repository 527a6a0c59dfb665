/** Servers on free ports of this machine. */

import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Makes a server listen on a free port of loopback, and returns the port.
 *
 * @param {import("node:net").Server} server
 */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return portOf(server);
}

/**
 * Makes a server listen on a free port, and returns its origin. The server and its connections end with the test.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("node:net").Server} server
 * @param {string} [host]
 */
export async function listenFor(t, server, host = "127.0.0.1") {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://${host.includes(":") ? `[${host}]` : host}:${portOf(server)}`;
}

/**
 * The port of a listening server.
 *
 * @param {import("node:net").Server} server
 */
export function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

/** A port of loopback that had no listener a moment ago. */
export async function freePort() {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}
