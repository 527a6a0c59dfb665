// Runs tests on both databases: PGlite, and a PostgreSQL that starts when the first test needs it.
import { after, test } from "node:test";

import { postgres } from "../../support/service/postgres.mjs";

/**
 * @import { TestContext } from "node:test"
 * @import { StartOptions } from "./support.mjs"
 */

/** @type {Promise<import("../../support/service/postgres.mjs").Postgres> | undefined} */
let server;

/**
 * A test that runs twice. It passes `where` to `start`.
 *
 * @param {string} name
 * @param {(t: TestContext, where: Pick<StartOptions, "postgres">) => Promise<void>} body
 */
export function onBoth(name, body) {
  test(`${name} (PGlite)`, (t) => body(t, {}));
  test(`${name} (PostgreSQL)`, async (t) => {
    server ??= postgres();
    const { url } = await server;
    await body(t, { postgres: url });
  });
}

after(async () => {
  await (await server)?.stop();
});
