// `npm run attack [-- --seconds 300]`: a service under attack for five minutes, on loopback. The promises are in
// `attack.mjs`.
import { parseArgs } from "node:util";

import { main, say } from "../../scripts/command.mjs";
import { attack } from "./attack.mjs";

await main(async () => {
  const { values } = parseArgs({ options: { seconds: { type: "string", default: "300" } } });
  const { violations, ...outcome } = await attack({ seconds: Number(values.seconds), say });
  for (const violation of violations) say(violation);
  if (violations.length > 0) process.exitCode = 1;
  process.stdout.write(`${JSON.stringify({ ...outcome, violations: violations.length })}\n`);
});
