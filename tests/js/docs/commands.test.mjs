/**
 * Types every command of the documents into a shell, in order, in an empty folder of its own for each document. A program
 * that names its file is saved first. npm gets the packed package from a registry of this test. Ctrl-C stops running
 * commands at the next heading.
 */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { install } from "../../../scripts/install.mjs";
import { postgresBin } from "../../../scripts/tools.mjs";
import { gitServer } from "../../support/git/git-server.mjs";
import { registry } from "../../support/package/registry.mjs";
import { openTerminal } from "../../support/process/terminal.mjs";
import { postgres } from "../../support/service/postgres.mjs";
import { checkOf, fileOf, firstLine, READ } from "./checks.mjs";
import { blocksIn, commandsIn, documents, root, textOf } from "./documents.mjs";
import { EFFECTS } from "./effects.mjs";
import { DATABASES, filled, PASSWORD, PLACEHOLDERS, thingsFor } from "./things.mjs";

/** Commands that another test types, or that a test cannot type, with the reason. */
const NOT_TYPED_HERE = new Map([
  ["npm start", "tests/browser/start.test.mjs types it"],
  ["npm test", "this test is a part of it"],
]);

/** Commands that run on until Ctrl-C. */
const RUNS_ON = /\brefsync (serve|worker|proxy)\b/;

/** A YAML parser; the documentation site's packages have one. */
const site = join(root, "scripts/docs");
await install(site);
/** @type {{ parseDocument(text: string): { errors: Error[] } }} */
const { parseDocument } = createRequire(join(site, "package.json"))("yaml");

/** A document with nothing but this is not typed: the package's README types it, in an empty folder too. */
const INSTALL = "npm install refsync";

const withCommands = documents.filter((document) => commandsIn(textOf(document)).some(({ text }) => text !== INSTALL));

/** @type {Awaited<ReturnType<typeof registry>>} */
let npm;
/** @type {Awaited<ReturnType<typeof gitServer>>} */
let server;
/** @type {Awaited<ReturnType<typeof postgres>>} */
let database;
/** @type {string} */
let cache;

before(async () => {
  [npm, server, database] = await Promise.all([registry(), gitServer(), postgres()]);
  cache = await mkdtemp(join(tmpdir(), "refsync-npm-cache-"));
  await prepare(database.url);
});

after(async () => {
  await npm?.close();
  await server?.close();
  await database?.stop();
  if (cache) await rm(cache, { recursive: true, force: true, maxRetries: 3 });
});

describe("the commands of each document work as they stand there", { concurrency: true }, () => {
  for (const document of withCommands) test(document, { timeout: 300_000 }, (t) => typeAll(t, document));
});

test("every promised effect belongs to one command, and every placeholder and exception is in a document", () => {
  const all = withCommands.flatMap((document) =>
    commandsIn(textOf(document)).map(({ text }) => ({ document, text: withoutComment(text) })),
  );
  for (const [document, effects] of Object.entries(EFFECTS)) {
    for (const [pattern] of effects) {
      const fits = all.filter((command) => command.document === document && pattern.test(command.text));
      assert.equal(fits.length, 1, `${document}: ${pattern} fits ${fits.length} commands`);
    }
  }
  for (const [name] of PLACEHOLDERS)
    assert.ok(
      all.some(({ text }) => text.includes(name)),
      `"${name}" is in no document`,
    );
  for (const name of NOT_TYPED_HERE.keys())
    assert.ok(
      all.some(({ text }) => text === name),
      `"${name}" is in no document`,
    );
});

test("every command of refsync in the documents has an effect that is looked at", () => {
  for (const document of withCommands) {
    for (const { text, line } of commandsIn(textOf(document))) {
      if (!/\brefsync [a-z]|^curl/.test(text) || text.startsWith("npm install")) continue;
      assert.ok(effectsOf(document, withoutComment(text)).length > 0, `${document}:${line}: ${text}`);
    }
  }
});

test("every block of the documents is checked, or the list of blocks that are only read has it with a reason", () => {
  for (const document of documents) {
    for (const block of blocksIn(textOf(document))) {
      const { language, line, text } = block;
      const where = `${document}:${line}`;
      assert.ok(checkOf(document, block), `${where}: nothing checks this block ("${language}"); see checks.mjs`);
      if (language === "yaml") assert.deepEqual(parseDocument(text).errors, [], where);
      if (language !== "json") continue;
      assert.ok(
        isJson(text) || text.trim().split("\n").every(isJson),
        `${where}: neither JSON nor a JSON text in each line`,
      );
    }
  }
  for (const [document, lines] of Object.entries(READ)) {
    const first = blocksIn(textOf(document)).map(({ text }) => firstLine(text));
    for (const line of Object.keys(lines)) assert.ok(first.includes(line), `${document} has no block "${line}"`);
  }
});

/**
 * Types the commands of a document, and checks their promised effects.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} document
 */
async function typeAll(t, document) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "refsync-typed-")));
  const cwd = join(folder, "empty");
  const home = join(folder, "home");
  for (const path of [cwd, home]) await mkdir(path);
  const name = document.replace(/\W/g, "-");
  const things = await thingsFor(name, { folder, server, postgres: new URL("/", database.url).href });
  const terminal = await openTerminal(cwd, environment(home));
  t.after(async () => {
    await terminal.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  /** @type {import("../../support/process/terminal.mjs").Running[]} */
  const running = [];
  const stop = async (/** @type {import("../../support/process/terminal.mjs").Running} */ one) => {
    running.splice(running.indexOf(one), 1);
    assert.equal(await one.interrupt(), 0, `${one.command}: its exit code after Ctrl-C\n${one.output()}`);
  };
  const stopAll = async () => {
    for (const one of running.slice().reverse()) await stop(one);
  };
  const context = { things, cwd, server, name, running, stop, notes: new Map() };

  for (const { language, text } of blocksIn(textOf(document))) {
    const file = ["ts", "js"].includes(language) ? fileOf(text) : undefined;
    if (file !== undefined && !file.includes("/")) await writeFile(join(cwd, file), filled(text, things));
  }

  let section = 0;
  for (const command of commandsIn(textOf(document))) {
    const text = withoutComment(command.text);
    if (NOT_TYPED_HERE.has(text)) continue;
    if (command.section !== section) await stopAll();
    section = command.section;
    await named(`${document}:${command.line}: ${text}`, async () => {
      const typed = filled(command.text, things);
      const { output, started } = await typeOne(terminal, typed, RUNS_ON.test(text));
      if (started) running.push(started);
      for (const [, holds] of effectsOf(document, text)) await holds({ ...context, output });
    });
  }
  await stopAll();
}

/**
 * @param {Awaited<ReturnType<typeof openTerminal>>} terminal
 * @param {string} command
 * @param {boolean} runsOn
 */
async function typeOne(terminal, command, runsOn) {
  if (runsOn) {
    const started = await terminal.start(command);
    return { output: started.output, started };
  }
  const { code, output } = await terminal.type(command);
  assert.equal(code, 0, `${command}\n${output()}`);
  return { output };
}

/**
 * Makes the databases. From then on PostgreSQL asks for a password.
 *
 * @param {string} url
 */
async function prepare(url) {
  const { default: pg } = await import("pg");
  const client = new pg.Client(url);
  await client.connect();
  for (const name of DATABASES) await client.query(`CREATE DATABASE ${name}`);
  await client.query("SET password_encryption = 'scram-sha-256'");
  await client.query(`ALTER ROLE refsync PASSWORD '${PASSWORD}'`);
  const { rows } = await client.query("SHOW hba_file");
  await client.query(`COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '${rows[0].hba_file}'`);
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

/**
 * A new user's environment: nothing of this user's, and no commands but the installed ones.
 *
 * @param {string} home
 */
function environment(home) {
  // npm adds the workspace's own commands to it, such as `refsync`.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.endsWith("node_modules/.bin"));
  const bin = postgresBin();
  return {
    PATH: [...(bin ? [bin] : []), ...path].join(delimiter),
    HOME: home,
    LC_ALL: "C.UTF-8",
    TMPDIR: tmpdir(),
    npm_config_registry: npm.url,
    npm_config_cache: cache,
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    // If the shell is dash, Ctrl-C kills the shell between npx and refsync, so npx does not get refsync's exit code.
    npm_config_script_shell: "bash",
  };
}

/**
 * @param {string} document
 * @param {string} text
 */
function effectsOf(document, text) {
  return (EFFECTS[document] ?? []).filter(([pattern]) => pattern.test(text));
}

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} command */
function withoutComment(command) {
  return command.replace(/\s+#.*$/m, "").trim();
}

/**
 * Adds the command to an error.
 *
 * @template T
 * @param {string} where
 * @param {() => Promise<T>} act
 */
async function named(where, act) {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Error) error.message = `${where}\n${error.message}`;
    throw error;
  }
}
