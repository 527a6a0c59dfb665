// Random faults between the engine and real Git servers: `npm run faults [-- --rounds N] [--seed N]`. The default is 1,000
// rounds.
import { parseArgs } from "node:util";

import { faults } from "../tests/js/engine/faults.mjs";
import { main, StepError } from "./command.mjs";

await main(async () => {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  if (![rounds, seed].every((n) => Number.isInteger(n) && n > 0)) {
    throw new StepError("--rounds and --seed must be whole numbers above 0");
  }
  const start = Date.now();
  /** @param {number} n */
  const onRound = (n) => {
    if (n % 50 === 0) process.stderr.write(`${n} of ${rounds}, ${seconds(start)} s\n`);
  };
  const tally = await faults({ rounds, seed, onRound });
  for (const [fault, endings] of Object.entries(tally).sort()) {
    const counts = Object.entries(endings).map(([ending, count]) => `${count} ${ending}`);
    process.stdout.write(`${fault.padEnd(10)} ${counts.sort().join(", ")}\n`);
  }
  process.stdout.write(`${rounds} faults, nothing wrong, ${seconds(start)} s\n`);
});

/** @param {number} start */
function seconds(start) {
  return Math.round((Date.now() - start) / 1000);
}
