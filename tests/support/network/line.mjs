/** A TCP line to a port of this machine. It can be cut, or become silent without either end noticing. */

import { connect, createServer } from "node:net";

import { listen } from "./listen.mjs";

/**
 * Opens a line on a free port.
 *
 * @param {number} port
 */
export async function line(port) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let state = "open";
  const server = createServer((near) => {
    if (state === "cut") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    carry(near, far);
    carry(far, near);
  });

  /**
   * @param {import("node:net").Socket} from
   * @param {import("node:net").Socket} to
   */
  function carry(from, to) {
    sockets.add(from);
    // A close always follows an error.
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on("data", (chunk) => {
      if (state === "open") to.write(chunk);
    });
  }

  const end = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: await listen(server),
    /** Loses all data. Connections stay open, and new ones are accepted. */
    silence() {
      state = "silent";
    },
    /** Resets all connections, and each new one. */
    cut() {
      state = "cut";
      end();
    },
    close() {
      end();
      server.close();
    },
  };
}
