// Generates the API reference from the package's types: `npm run docs` writes it to target/api. It fails if something has
// no documentation.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { build } from "./build.mjs";
import { isMain, main, root, StepError, say } from "./command.mjs";
import { install } from "./install.mjs";
import { setup } from "./setup.mjs";

/** Writes the reference. Throws if a public name, option or error is not documented, or if a link is broken. */
export async function docs() {
  const folder = join(root, "scripts/docs");
  await install(folder);
  const typedoc = join(folder, "node_modules/typedoc/bin/typedoc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, "--options", "typedoc.json"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  // The object that contains an inline object documents its fields. Fields of a Rust enum cannot be documented.
  const complaints = `${stdout}${stderr}`
    .split("\n")
    .filter((line) => /^\[(warning|error)\]/.test(line) && !/__type\.|^\[warning\] Found/.test(line));
  if (status !== 0 || complaints.length > 0) throw new StepError(["typedoc:", ...complaints].join("\n"));
  say(`the API reference is ${join("target", "api", "index.html")}`);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setup();
    await build();
    await docs();
  });
}
