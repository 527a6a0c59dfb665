// A webhook receiver on a socket. It checks deliveries with Node's own crypto.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

import { listen } from "../../support/network/listen.mjs";

/**
 * @typedef {object} Delivery
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {string | undefined} url
 * @property {string | undefined} method
 * @property {string} raw
 * @property {import("../../support/json.mjs").Json} event
 */

/**
 * Listens until the test ends. `answer(delivery)` returns the status; the default is 204.
 *
 * @param {import("node:test").TestContext} t
 * @param {(delivery: Delivery, count: number) => number | Promise<number>} [answer]
 */
export async function receive(t, answer = () => 204) {
  /** @type {Delivery[]} */
  const deliveries = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks).toString();
    const delivery = {
      headers: request.headers,
      url: request.url,
      method: request.method,
      raw,
      event: JSON.parse(raw),
    };
    deliveries.push(delivery);
    const status = await answer(delivery, deliveries.length);
    response.writeHead(status, status >= 300 && status < 400 ? { location: "/elsewhere" } : {}).end();
  });
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}/hook?from=refsync`,
    deliveries,
    types: () => deliveries.map(({ event }) => event.type),
  };
}

/**
 * Whether a delivery is signed with `secret`, for a receiver that expects one `t` and one `sha256`.
 *
 * @param {Delivery} delivery
 * @param {string} secret
 */
export function isSigned({ headers, raw }, secret) {
  const [, time, signature] = /^t=(\d+),sha256=([0-9a-f]{64})$/.exec(String(headers["x-mesa-signature"])) ?? [];
  const expected = createHmac("sha256", secret).update(`${time}.${raw}`).digest("hex");
  return signature === expected && Math.abs(Date.now() / 1000 - Number(time)) < 300;
}

/**
 * Sends all due deliveries.
 *
 * @param {import("refsync/service").Service} service
 */
export async function deliverAll(service) {
  let sent = 0;
  while (await service.deliver()) sent += 1;
  return sent;
}
