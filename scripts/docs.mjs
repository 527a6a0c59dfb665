// The API reference from the package's types: `npm run docs` writes it to target/api, and fails for what has no documentation.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "./build.mjs";
import { main, root, run, say } from "./command.mjs";
import { install } from "./install.mjs";
import { setup } from "./setup.mjs";

/** Writes the reference; throws where a public name, option or error is not documented, or a link leads nowhere. */
export async function docs() {
  const folder = join(root, "scripts/docs");
  await install(folder);
  await run(process.execPath, [join(folder, "node_modules/typedoc/bin/typedoc"), "--options", "typedoc.json"], {
    cwd: folder,
  });
  say(`the API reference is ${join("target", "api", "index.html")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await setup();
    await build();
    await docs();
  });
}
