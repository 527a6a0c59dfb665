// `npm run soak [-- --rounds 200 --database postgres://…]`: without --database on PGlite and on a PostgreSQL of its own.
// `--only pglite` and `--only postgres` leave the other one out. SIGINT ends the run with the verdict on the rounds so far.
import { parseArgs } from "node:util";

import { main, say } from "../../scripts/command.mjs";
import { postgres } from "../support/service/postgres.mjs";
import { soak } from "./soak.mjs";

const stop = { asked: false };
process.once("SIGINT", () => {
  stop.asked = true;
});

await main(async () => {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "200" }, database: { type: "string" }, only: { type: "string" } },
  });
  const rounds = Number(values.rounds);
  if (values.only !== "postgres" && !values.database) await report("PGlite", { rounds });
  if (values.only === "pglite") return;
  const own = values.database ? null : await postgres();
  try {
    await report("PostgreSQL", { rounds, database: own?.url ?? values.database });
  } finally {
    await own?.stop();
  }
});

/**
 * @param {string} name
 * @param {{ rounds: number, database?: string | undefined }} options
 */
async function report(name, options) {
  const began = Date.now();
  const { violations, said, ...counts } = await soak({ ...options, stop, say: (line) => say(`${name}: ${line}`) });
  const seconds = Math.round((Date.now() - began) / 1000);
  for (const violation of violations.slice(0, 50)) say(violation);
  if (violations.length > 0) {
    say(said);
    process.exitCode = 1;
  }
  process.stdout.write(`${name}: ${JSON.stringify({ ...counts, violations: violations.length, seconds })}\n`);
}
