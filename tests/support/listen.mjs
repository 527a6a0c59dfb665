/** Servers on free ports of this machine. */

import { once } from "node:events";

/**
 * Has a server listen on a free port of loopback; gives the port.
 *
 * @param {import("node:net").Server} server
 */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return portOf(server);
}

/**
 * The port of a server that listens.
 *
 * @param {import("node:net").Server} server
 */
export function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}
