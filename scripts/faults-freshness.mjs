// Random faults around a mirror whose freshness is watched: `npm run faults:freshness [-- --rounds N] [--seed N]`. The default is
// 1,000 rounds.
import { parseArgs } from "node:util";

import { takeClock } from "../tests/js/service/freshness/moved-clock.mjs";
import { rounds as play } from "../tests/js/service/freshness/rounds.mjs";
import { main, StepError } from "./command.mjs";

await main(async () => {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  if (![rounds, seed].every((n) => Number.isInteger(n) && n > 0)) {
    throw new StepError("--rounds and --seed must be whole numbers above 0");
  }
  const clock = takeClock();
  const began = clock.now();
  const seconds = () => Math.round((clock.now() - clock.passed() - began) / 1000);
  const onRound = (/** @type {number} */ n) => {
    if (n % 50 === 0) process.stderr.write(`${n} of ${rounds}, ${seconds()} s\n`);
  };
  const seen = await play({ rounds, seed, clock, onRound });
  for (const [what, count] of Object.entries(seen).sort()) process.stdout.write(`${what.padEnd(14)} ${count}\n`);
  process.stdout.write(
    `${rounds} rounds, ${Math.round(clock.passed() / 3_600_000)} h, nothing wrong, ${seconds()} s\n`,
  );
});
