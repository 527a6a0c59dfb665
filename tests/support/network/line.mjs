/** A TCP line to a port of this machine that can fall silent, so that neither end is told, or be cut. */

import { connect, createServer } from "node:net";

import { listen } from "./listen.mjs";

/**
 * Opens one on a free port.
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
    // An error is always followed by a close.
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
    /** What is sent is lost; connections stay, and new ones are taken. */
    silence() {
      state = "silent";
    },
    /** Connections are reset, and so is each new one. */
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
