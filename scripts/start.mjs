// `npm start`: set-up, build, and the service with a demonstration. Data is kept in `.refsync-demo`.
import { createServer } from "node:net";
import { join } from "node:path";

import { build } from "./build.mjs";
import { main, root, say } from "./command.mjs";
import { demonstrate } from "./demo/demonstrate.mjs";
import { setup } from "./setup.mjs";

const defaultPort = 8722;

await main(async () => {
  await setup();
  await build();
  // Only now is there something to import.
  const { selfHosted } = await import("../pkg/dist/cli/self-hosted.js");
  const { nextSignal, stopOnce } = await import("../pkg/dist/cli/serve.js");
  const signal = nextSignal();
  const hosted = await selfHosted({
    data: join(root, ".refsync-demo"),
    host: "127.0.0.1",
    port: process.env.PORT ? Number(process.env.PORT) : await freePort(defaultPort),
    org: "demo",
    // The demonstration's upstream is on this machine.
    allowPrivateNetwork: true,
  });
  try {
    await demonstrate(hosted);
  } catch (error) {
    say(`the demonstration could not be made: ${error.message}`);
  }
  process.stdout.write(
    `\n  refsync is ready: ${hosted.url}/#key=${hosted.apiKey}\n\n  Ctrl-C stops it; npm start brings it back.\n\n`,
  );
  await signal;
  await stopOnce(hosted);
});

/** This port, or the first free one of the twenty above it, or any. */
async function freePort(first) {
  for (let port = first; port <= first + 20; port += 1) if (await isFree(port)) return port;
  return 0;
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
