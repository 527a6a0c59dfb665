// The documentation site: `npm run docs` writes the pages of docs/ and the API reference to target/site. It fails if a link
// leads nowhere, or if a name of the package has no documentation. `npm run docs -- --serve` also serves it on this machine.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { build } from "./build.mjs";
import { brokenInMarkdown, brokenInSite, markdown } from "./checks/links.mjs";
import { isMain, main, root, run, StepError, say } from "./command.mjs";
import { install } from "./install.mjs";
import { setup } from "./setup.mjs";

const folder = join(root, "scripts/docs");
const site = join(root, "target/site");

/**
 * Builds the site, checks its links and those of all documents, and returns the number of the site's links. Throws if a link is
 * broken, or if a public name is not documented.
 */
export async function docs() {
  await install(folder);
  pages();
  apiReference();
  const { broken, count } = await brokenInSite(site);
  const all = [...(await brokenInMarkdown(markdown())), ...broken];
  if (all.length > 0) throw new StepError(["broken links:", ...all].join("\n"));
  say(`the site is ${join("target", "site", "index.html")}; its ${count} links lead somewhere`);
  return count;
}

function pages() {
  const { status, stdout, stderr } = tool("vitepress/bin/vitepress.js", ["build", "."]);
  if (status !== 0) throw new StepError(`vitepress:\n${stdout}${stderr}`);
}

/** Generates the reference from the package's types. It goes into the built site. */
function apiReference() {
  const { status, stdout, stderr } = tool("typedoc/bin/typedoc", ["--options", "typedoc.json"]);
  // The object that contains an inline object documents its fields. Fields of a Rust enum cannot be documented.
  const complaints = `${stdout}${stderr}`
    .split("\n")
    .filter((line) => /^\[(warning|error)\]/.test(line) && !/__type\.|^\[warning\] Found/.test(line));
  if (status !== 0 || complaints.length > 0) throw new StepError(["typedoc:", ...complaints].join("\n"));
}

/**
 * Runs a tool of the documentation to its end.
 *
 * @param {string} path
 * @param {string[]} args
 */
function tool(path, args) {
  return spawnSync(process.execPath, [join(folder, "node_modules", path), ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setup();
    await build();
    await docs();
    if (process.argv.includes("--serve")) {
      await run(process.execPath, [join(folder, "node_modules/vitepress/bin/vitepress.js"), "preview", "."], {
        cwd: folder,
      });
    }
  });
}
