/** A TCP proxy that spoils its data once, at a given byte of one direction. */

import { connect, createServer } from "node:net";

import { listen } from "../../support/network/listen.mjs";

/** The faults at that byte. A sync must survive only `slow`. */
export const lineFaults = /** @type {const} */ (["reset", "close", "stall", "garbage", "slow"]);

/**
 * @import { Socket } from "node:net"
 *
 * @typedef {"up" | "down"} Direction
 * @typedef {typeof lineFaults[number]} LineFault
 * @typedef {(bound: number) => number} Random A number below the bound.
 * @typedef {{ kind: LineFault, direction: Direction, at: number, random: Random }} Fault
 * @typedef {{ client: Socket, upstream: Socket, slow: boolean, dead: boolean }} Line
 * @typedef {Awaited<ReturnType<typeof faultyLine>>} FaultyLine
 */

/**
 * A line to `port`. `spoil` arms it: `{ kind, direction: "up" | "down", at, random }`, `at` counted over all connections
 * from then on. `passed` counts the bytes of each direction since then.
 *
 * @param {number} port
 */
export async function faultyLine(port) {
  /** @type {Fault | null} */
  let fault = null;
  let passed = { up: 0, down: 0 };
  /** @type {Set<Socket>} */
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const line = { client, upstream, slow: false, dead: false };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      // An event on one side is repeated on the other side. A close always follows an error.
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (!line.dead) for (const other of [client, upstream]) other.destroy();
      });
    }
    carry(line, client, upstream, "up");
    carry(line, upstream, client, "down");
  });

  /**
   * @param {Line} line
   * @param {Socket} from
   * @param {Socket} to
   * @param {Direction} direction
   */
  function carry(line, from, to, direction) {
    from.on("end", () => {
      if (!line.dead) to.end();
    });
    from.on("data", (chunk) => {
      if (line.dead) return;
      const start = passed[direction];
      passed[direction] += chunk.length;
      if (fault?.direction !== direction || fault.at >= passed[direction]) return forward(line, from, to, chunk);
      const { kind, at, random } = fault;
      fault = null;
      if (kind === "slow") {
        line.slow = true;
        return forward(line, from, to, chunk);
      }
      line.dead = true;
      to.write(chunk.subarray(0, Math.max(0, at - start)), () => end(kind, line, to, random));
    });
  }

  /**
   * @param {LineFault} kind
   * @param {Pick<Line, "client" | "upstream">} line
   * @param {Socket} to
   * @param {Random} random
   */
  function end(kind, { client, upstream }, to, random) {
    if (kind === "reset") for (const socket of [client, upstream]) socket.resetAndDestroy();
    if (kind === "close") for (const socket of [client, upstream]) socket.end();
    if (kind === "garbage") {
      to.end(Buffer.from(Array.from({ length: 1 + random(5000) }, () => random(256))));
      (to === client ? upstream : client).end();
    }
    // Drops all data from now on. The server notices this when the engine gives up.
    if (kind === "stall") client.once("close", () => upstream.destroy());
  }

  /**
   * @param {Line} line
   * @param {Socket} from
   * @param {Socket} to
   * @param {Buffer} chunk
   */
  function forward(line, from, to, chunk) {
    if (!line.slow) {
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
      return;
    }
    // Sends a few hundred bytes at a time, with a pause after each piece.
    from.pause();
    let at = 0;
    const next = () => {
      if (at >= chunk.length || to.destroyed) return from.resume();
      to.write(chunk.subarray(at, at + 700));
      at += 700;
      setTimeout(next, 3);
    };
    next();
  }

  return {
    port: await listen(server),
    passed: () => passed,
    /** @param {Fault | null} next */
    spoil: (next) => {
      fault = next;
      passed = { up: 0, down: 0 };
    },
    /** Whether the fault has happened. */
    wasSpoilt: () => fault === null,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
