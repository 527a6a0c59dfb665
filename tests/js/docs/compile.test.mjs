/** Compiles every program of the documents: TypeScript with `strict`, and Svelte. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { install } from "../../../scripts/install.mjs";
import { checkOf, FRAMEWORKS, fileOf } from "./checks.mjs";
import { blocksIn, documents, root, textOf } from "./documents.mjs";

const site = join(root, "scripts/docs");
const blocks = documents.flatMap((document) => blocksIn(textOf(document)).map((block) => ({ document, ...block })));
const programs = blocks.filter(({ language }) => ["js", "ts", "tsx"].includes(language));

/** What the frameworks declare, as far as the documents use it. */
const STUBS = `
declare module "next/cache" { export function revalidatePath(path: string): void }
declare module "$env/dynamic/private" { export const env: Record<string, string | undefined> }
`;

/** @type {string} */
let folder;

before(async () => {
  await install(site);
  folder = await mkdtemp(join(tmpdir(), "refsync-compiled-"));
  await mkdir(join(folder, "node_modules/@types"), { recursive: true });
  /** @param {string} name @param {string} from */
  const link = (name, from) => symlink(from, join(folder, "node_modules", name));
  await link("refsync", join(root, "pkg"));
  for (const name of ["@types/node", "@types/express", "fastify"]) await link(name, join(root, "node_modules", name));
  await link("@types/react", join(site, "node_modules/@types/react"));
});

after(() => folder && rm(folder, { recursive: true, force: true }));

test("the programs for Node, pages and workers compile with strict, as modules of nodenext", async () => {
  const options = { module: "nodenext", lib: ["es2023", "dom", "dom.iterable"], types: ["node"] };
  await compiles("node", ({ document }) => !FRAMEWORKS.includes(document), options);
});

test("the programs for Next compile with strict", async () => {
  const options = { module: "esnext", moduleResolution: "bundler", jsx: "preserve", types: ["node", "react"] };
  await compiles("next", ({ document }) => document === "docs/guides/next.md", options);
});

test("the programs for SvelteKit compile with strict", async () => {
  const paths = { "$lib/*": ["./src/lib/*"] };
  const options = { module: "esnext", moduleResolution: "bundler", types: ["node"], paths };
  await compiles("sveltekit", ({ document }) => document === "docs/guides/sveltekit.md", options);
});

test("the Svelte components compile without a warning", async () => {
  const { compile } = createRequire(join(site, "package.json"))("svelte/compiler");
  const components = blocks.filter(({ language }) => language === "svelte");
  assert.ok(components.length > 0);
  for (const { document, line, text } of components) {
    for (const generate of ["client", "server"]) {
      const { warnings } = compile(text, { generate, filename: fileOf(text) });
      assert.deepEqual(warnings, [], `${document}:${line}`);
    }
  }
});

test("each program that is checked is one of those, and the compiler finds a wrong one", async () => {
  for (const { document, language, text, line } of blocks) {
    const check = checkOf(document, { language, text, line, section: 0 });
    if (check !== "run" && check !== "compiled") continue;
    assert.ok(["js", "ts", "tsx", "svelte"].includes(language), `${document}:${line}: ${language}`);
  }
  const wrong = `import { SyncClient } from "refsync";\nconst run: string = new SyncClient().repos;\nconsole.log(run);\n`;
  const output = await compiled("wrong", [["wrong.mts", wrong]], { module: "nodenext", types: ["node"] });
  assert.match(output, /wrong\.mts\(2,7\).*TS2322/);
});

/**
 * Compiles the programs that `which` selects, each under the name that the document gives it.
 *
 * @param {string} name
 * @param {(program: typeof programs[number]) => boolean} which
 * @param {object} options
 */
async function compiles(name, which, options) {
  const files = programs.filter(which).map(({ document, line, language, text }) => {
    // The folder shows in the compiler's messages where the program is.
    const at = `${document.replaceAll(/\W/g, "-")}-${line}`;
    const named = fileOf(text);
    if (FRAMEWORKS.includes(document) && named !== undefined) return /** @type {const} */ ([named, text]);
    return /** @type {const} */ ([`${at}.m${language}`, text]);
  });
  assert.ok(files.length > 0);
  assert.equal(new Set(files.map(([file]) => file)).size, files.length, "each file has its own name");
  assert.equal(await compiled(name, files, options), "");
}

/**
 * The compiler's output; empty if it has no complaint.
 *
 * @param {string} name
 * @param {(readonly [file: string, text: string])[]} files
 * @param {object} options
 */
async function compiled(name, files, options) {
  const own = join(folder, name);
  for (const [file, text] of [...files, /** @type {const} */ (["stubs.d.ts", STUBS])]) {
    await mkdir(dirname(join(own, file)), { recursive: true });
    await writeFile(join(own, file), text);
  }
  const strict = { strict: true, noEmit: true, allowJs: true, checkJs: true, moduleDetection: "force" };
  const compilerOptions = { target: "es2023", lib: ["es2023", "dom", "dom.iterable"], ...strict, ...options };
  const names = files.map(([file]) => file);
  await writeFile(join(own, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [...names, "stubs.d.ts"] }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const ran = await promisify(execFile)(process.execPath, [tsc, "--project", own, "--pretty", "false"], {
    cwd: folder,
  }).catch((error) => error);
  return `${ran.stdout}${ran.stderr}`;
}
