// `npm start`: set-up, build, and `refsync serve` with a demonstration. The data is in `.refsync-demo`, or in the folder
// that `REFSYNC_DEMO_DATA` names. `PORT` chooses the port.
import { createServer } from "node:net";
import { join } from "node:path";

import { build } from "./build.mjs";
import { main, messageOf, root, say } from "./command.mjs";
import { demonstrate } from "./demo/demonstrate.mjs";
import { setup } from "./setup.mjs";

const DEFAULT_PORT = 8722;

await main(async () => {
  await setup();
  await build();
  // The build has just made these.
  const { commandLine } = await import("../pkg/dist/cli/program.js");
  const { serve } = await import("../pkg/dist/cli/serve/serve.js");
  const data = process.env.REFSYNC_DEMO_DATA ?? join(root, ".refsync-demo");
  const port = process.env.PORT ?? String(await freePort(DEFAULT_PORT));
  /** @param {import("../pkg/dist/cli/serve/self-hosted.js").SelfHosted} hosted */
  const ready = async (hosted) => {
    try {
      await demonstrate(hosted, data);
    } catch (error) {
      say(`the demonstration is not complete: ${messageOf(error)}`);
    }
    process.stdout.write(`
  Ctrl-C stops it; npm start brings it back with its data.
  The address works once, for ten minutes.

  refsync is ready: ${await hosted.pageAddress()}

`);
  };
  // The flags go through the command line of `refsync serve`, so the demonstration has the same defaults as the product.
  // --allow-private-network: the demonstration's upstream is on this machine.
  const flags = ["--data", data, "--port", port, "--org", "demo", "--allow-private-network"];
  await commandLine((options) => serve(options, ready)).parseAsync(["serve", ...flags], { from: "user" });
});

/**
 * The first free port from `first` to `first` + 20. 0 if none is free; then the system chooses one.
 *
 * @param {number} first
 */
async function freePort(first) {
  for (let port = first; port <= first + 20; port += 1) if (await isFree(port)) return port;
  return 0;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
