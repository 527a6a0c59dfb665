// Builds the package: three wasm builds of the crate, TypeScript, the page. `node scripts/build.mjs`.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { portableDeclarations } from "./build/declarations.mjs";
import { inlineClient } from "./build/inline.mjs";
import { once } from "./build/stamp.mjs";
import { builds, buildWasm } from "./build/wasm.mjs";
import { isMain, main, root, run } from "./command.mjs";
import { compilesStd } from "./tools.mjs";

/** Builds everything that has changed. */
export async function build() {
  const ownStd = compilesStd();
  for (const [name, features] of Object.entries(builds)) await buildWasm(name, features, ownStd);
  await inlineClient();
  await typescript();
  await page();
}

async function typescript() {
  const files = {
    inputs: [
      ...["pkg/src", "pkg/tsconfig.json", "tsconfig.json", "pkg/package.json", "package-lock.json"],
      ...["scripts/build.mjs", "scripts/build/bundle.mjs", "scripts/build/declarations.mjs"],
    ],
    outputs: ["pkg/dist/wasm/client.node.js"],
  };
  await once("build TypeScript", files, async () => {
    const dist = join(root, "pkg/dist");
    mkdirSync(dist, { recursive: true });
    // Removes the output of an earlier build, except the page, which is a separate step.
    for (const name of readdirSync(dist)) if (name !== "page") rmSync(join(dist, name), { recursive: true });
    await run(bin("tsc"), ["--project", "pkg"]);
    cpSync(join(root, "pkg/src/wasm/module.d.ts"), join(dist, "wasm/module.d.ts"));
    for (const name of Object.keys(builds)) {
      cpSync(join(root, "pkg/src/wasm", name), join(dist, "wasm", name), { recursive: true });
      portableDeclarations(join(dist, "wasm", name, "refsync.d.ts"));
    }
    for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(root, "pkg", name));
    }
    // This needs rolldown, which does not exist before `npm ci`.
    const { bundleCommand } = await import("./build/bundle.mjs");
    await bundleCommand(join(dist, "cli"));
    rmSync(join(dist, "cli/main.js"));
  });
}

async function page() {
  if (!existsSync(join(root, "www/package.json"))) return;
  const files = {
    inputs: ["www", "pkg/src", "pkg/package.json", "package-lock.json"],
    outputs: ["pkg/dist/page/index.html"],
  };
  await once("build the page", files, async () => {
    await run("npm", ["run", "--silent", "build", "--workspace", "www"]);
    rmSync(join(root, "pkg/dist/page"), { recursive: true, force: true });
    cpSync(join(root, "www/dist"), join(root, "pkg/dist/page"), { recursive: true });
  });
}

/** @param {string} command */
function bin(command) {
  return join(root, "node_modules/.bin", command);
}

if (isMain(import.meta.url)) await main(build);
