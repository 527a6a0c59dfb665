// The type check finds options that are misspelt or missing, in scripts and in the actions of the command line.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Copies of scripts, each with one change, and the error that the change causes. The unchanged copy has no error. */
const copies = [
  { of: "scripts/start.mjs", from: "", to: "", error: null },
  {
    of: "scripts/start.mjs",
    from: "commandLine((options) => serve(options, ready))",
    to: "commandLine(({ worker, ...options }) => serve(options, ready))",
    error: /Property 'worker' is missing/,
  },
  {
    of: "scripts/start.mjs",
    from: "await setup();",
    to: "await setup({ test: true });",
    error: /'test' does not exist in type/,
  },
  {
    of: "scripts/samples/upgrade.mjs",
    from: "serve({ service })",
    to: "serve({ service, prot: 1 })",
    error: /'prot' does not exist in type 'ServeOptions'/,
  },
  {
    of: "scripts/samples/upgrade.mjs",
    from: "new Service({ database, git, fetch, secretKey,",
    to: "new Service({ database, git, fetch,",
    error: /Property 'secretKey' is missing/,
  },
  {
    of: "benches/service.mjs",
    from: "await prepare(bench, workers);",
    to: "await prepare(bench);",
    error: /Expected 2 arguments, but got 1/,
  },
  {
    of: "tests/js/client/client.test.mjs",
    from: "apiKey: backend.keys.admin",
    to: "apikey: backend.keys.admin",
    error: /'apikey' does not exist in type 'ClientOptions'/,
  },
  {
    of: "tests/js/service/http/surroundings.test.mjs",
    from: "{ service: { metrics: true } }",
    to: "{ service: { metric: true } }",
    error: /'metric' does not exist in type 'Partial<ServiceOptions>'/,
  },
  // The actions of the command line have the flags that the command declares, and no other.
  { of: "pkg/src/cli/sync/sync.ts", from: "", to: "", error: null },
  {
    of: "pkg/src/cli/sync/sync.ts",
    from: "pushOption, timeout } = flags",
    to: "pushOptions: pushOption, timeout } = flags",
    error: /Property 'pushOptions' does not exist on type/,
  },
  {
    of: "pkg/src/cli/serve/operation.ts",
    from: "allowRange: allow, log: format",
    to: "allowRanges: allow, log: format",
    error: /Property 'allowRanges' does not exist on type 'WorkFlags'/,
  },
  {
    of: "pkg/src/cli/proxy.ts",
    from: "flags.host, flags.port",
    to: "flags.port, flags.host",
    error: /Argument of type 'number' is not assignable to parameter of type 'string'/,
  },
];

test("an option or a flag that is misspelt or missing is an error", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "refsync-types-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // TypeScript takes a .ts file for an ES module only then.
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const places = copies.map((_, at) => join(folder, String(at)));
  const files = copies.map(({ of: original, from, to }, at) => {
    const text = readFileSync(join(root, original), "utf8");
    assert.ok(text.includes(from), `${original} has ${from}`);
    const path = join(folder, String(at), original);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replace(from, to));
    return path;
  });
  const project = join(folder, "tsconfig.json");
  const settings = {
    extends: join(root, "tsconfig.json"),
    // If a copy's own folder lacks a relative import, the checkout provides it.
    compilerOptions: { rootDirs: [root, ...places] },
    include: [...files, join(root, "tests/*.d.ts"), join(root, "tests/support/*.d.ts")],
  };
  writeFileSync(project, JSON.stringify(settings));
  const output = await tsc("--project", project);
  const found = output.split("\n").filter((line) => /error TS\d+/.test(line));
  for (const [at, { of: original, to, error }] of copies.entries()) {
    const own = found.filter((line) => line.includes(join("/", String(at), original)));
    assert.equal(own.length, error ? 1 : 0, `${original} with ${to}:\n${output}`);
    if (error) assert.match(own.join(), error);
  }
});

test("every script is checked, with every flag that the product has", async () => {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*.mjs"], { cwd: root });
  const scripts = stdout.trim().split("\n");
  const checked = new Set((await tsc("--project", "tsconfig.json", "--listFilesOnly")).split("\n"));
  assert.ok(scripts.length > 100, `git knows ${scripts.length} scripts`);
  assert.deepEqual(
    scripts.filter((file) => !checked.has(join(root, file))),
    [],
  );
  for (const file of scripts) assert.doesNotMatch(readFileSync(join(root, file), "utf8"), SILENCED, file);
  // The product has the same configuration as the scripts, and no additional strict flags.
  const { extends: base, compilerOptions } = JSON.parse(readFileSync(join(root, "pkg/tsconfig.json"), "utf8"));
  assert.equal(base, "../tsconfig.json");
  const own = ["allowJs", "checkJs", "declaration", "noEmit", "outDir", "rootDir"];
  assert.deepEqual(Object.keys(compilerOptions).sort(), own);
});

const SILENCED = /@ts-(nocheck|ignore)\b/;

/**
 * The output of tsc.
 *
 * @param {string[]} args
 */
async function tsc(...args) {
  const compiler = join(root, "node_modules/.bin/tsc");
  const run = promisify(execFile)(compiler, [...args, "--pretty", "false"], { cwd: root, maxBuffer: 1 << 24 });
  const { stdout } = await run.catch((error) => error);
  return String(stdout);
}
