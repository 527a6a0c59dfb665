/** The documents and the command line name the same commands, arguments and flags. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { commandLine } from "../../../pkg/dist/cli/program.js";
import { withCommands } from "../../../scripts/docs/command-line.mjs";
import { blocksIn, documents, proseOf, root, textOf } from "./documents.mjs";

/**
 * @typedef {object} Flag
 * @property {boolean} isRequired
 * @property {boolean} takesValue
 * @property {boolean} isRepeated Whether it may be given several times.
 *
 * @typedef {{ operands: number, flags: Map<string, Flag> }} Usage
 */

/**
 * The usages of the real command line.
 *
 * @type {Map<string, Usage>}
 */
const commands = new Map(
  allCommands().map(([name, command]) => {
    const flags = command.options.map(({ long, mandatory, required, variadic, description }) => {
      assert.equal(variadic, false, `refsync ${name} ${long}: it would swallow the arguments behind it`);
      const isRepeated = description.endsWith("may be given again");
      return /** @type {const} */ ([long ?? "", { isRequired: mandatory, takesValue: required, isRepeated }]);
    });
    return [name, { operands: command.registeredArguments.length, flags: new Map(flags) }];
  }),
);

/** The commands that have subcommands, such as `keys`. */
const groups = commandLine()
  .commands.filter(({ commands }) => commands.length > 0)
  .map((command) => command.name());
/** The name of a command behind `refsync`, such as `sync` or `keys create`. */
const commandName = new RegExp(
  `^(?:npx |node_modules/\\.bin/)?refsync ((?:(?:${groups.join("|")}) )?[a-z-]+)([\\s\\S]*)$`,
);

const allFlags = new Set([...commands.values()].flatMap(({ flags }) => [...flags.keys()]));

test("the list of commands in the reference is the command line's: commands, operands, flags and what each flag takes", () => {
  const listed = usagesIn(textOf("docs/reference/command-line.md"));
  assert.deepEqual([...listed.keys()].sort(), [...commands.keys()].sort());
  for (const [name, usage] of listed) {
    const { operands, flags } = commands.get(name) ?? { operands: 0, flags: new Map() };
    assert.equal(usage.operands, operands, `refsync ${name}: operands`);
    assert.deepEqual([...usage.flags].sort(), [...flags].sort(), `refsync ${name}: flags`);
  }
});

test("each flag of a table is a flag of the command that the table's head names", () => {
  let tables = 0;
  for (const document of documents) {
    for (const { head, rows } of tablesIn(proseOf(textOf(document)))) {
      if (!head.startsWith("flag")) continue;
      tables += 1;
      const [, name = ""] = /^flag of `([^`]+)`$/.exec(head) ?? [];
      const command = commands.get(name);
      assert.ok(command, `${document}: the table "${head}" names no command`);
      for (const row of rows) {
        const flags = row.match(/(?<=`)--[a-z-]+/g) ?? [];
        assert.ok(flags.length > 0, `${document}: no flag in: ${row}`);
        for (const flag of flags) assert.ok(command.flags.has(flag), `${document}: refsync ${name} has no ${flag}`);
      }
    }
  }
  assert.ok(tables >= 2, `${tables} tables`);
});

test("each flag and each command that a sentence names is one", () => {
  for (const document of documents) {
    for (const span of spansIn(proseOf(textOf(document)))) {
      const where = `${document}: \`${span}\``;
      const [, name, rest = ""] = commandName.exec(span) ?? [];
      if (name !== undefined && groups.includes(name)) {
        assert.equal(rest, "", `${where}: ${name} needs a command behind it`);
      } else if (name !== undefined) {
        assert.ok(commands.has(name), `${where}: no such command`);
        for (const flag of rest.match(/--[a-z-]+/g) ?? []) {
          assert.ok(commands.get(name)?.flags.has(flag), `${where}: refsync ${name} has no ${flag}`);
        }
      } else if (/^--[a-z]/.test(span)) {
        const [flag = ""] = span.split(/[ =]/);
        assert.ok(allFlags.has(flag), `${where}: no command has ${flag}`);
      }
    }
  }
});

test("each command in a workflow is one, with its flags", () => {
  let seen = 0;
  for (const document of documents) {
    for (const { language, text } of blocksIn(textOf(document))) {
      if (language !== "yaml") continue;
      for (const [, name = "", rest = ""] of text.matchAll(/npx --yes refsync (\S+)(.*)/g)) {
        const command = commands.get(name);
        assert.ok(command, `${document}: refsync ${name}`);
        for (const flag of rest.match(/--[a-z-]+/g) ?? []) assert.ok(command.flags.has(flag), `${document}: ${flag}`);
        seen += 1;
      }
    }
  }
  assert.ok(seen >= 2, `${seen} commands`);
});

test("the reference of the command line is generated from the command line", () => {
  const page = textOf("docs/reference/command-line.md");
  const message = "docs/reference/command-line.md is old; node scripts/docs/command-line.mjs writes it";
  assert.equal(page, withCommands(commandLine(), page), message);
});

test("each script and each file that a sentence tells people to run is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  let seen = 0;
  for (const document of documents) {
    for (const span of spansIn(proseOf(textOf(document)))) {
      const [, script, file] = /^npm run (\S+)|^node (?:--test )?(\S+)/.exec(span) ?? [];
      if (script !== undefined) assert.ok(Object.hasOwn(scripts, script), `${document}: \`${span}\``);
      if (file !== undefined) assert.ok(existsSync(join(root, file)), `${document}: \`${span}\``);
      seen += Number(script !== undefined || file !== undefined);
    }
  }
  assert.ok(seen > 5, `${seen} spans`);
});

test("each variable REFSYNC_… that the documents name is read by the code", () => {
  const folders = ["pkg/src", "scripts", "tests/service", "tests/sync"];
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs|rs)$/.test(name))
      .map((name) => join(root, folder, name)),
  );
  const code = paths.map((path) => readFileSync(path, "utf8")).join("\n");
  for (const document of documents) {
    // `REFSYNC_DESTINATION_…` means several variables.
    for (const [name] of textOf(document).matchAll(/\bREFSYNC_[A-Z_]*[A-Z]\b(?!_)/g)) {
      assert.ok(new RegExp(`\\b${name}\\b`).test(code), `${document}: ${name}`);
    }
  }
});

/**
 * Every command with its whole name, such as `keys create`.
 *
 * @returns {[name: string, command: import("@commander-js/extra-typings").CommandUnknownOpts][]}
 */
function allCommands() {
  return commandLine().commands.flatMap((command) =>
    command.commands.length === 0
      ? [/** @type {const} */ ([command.name(), command])]
      : command.commands.map((one) => /** @type {const} */ ([`${command.name()} ${one.name()}`, one])),
  );
}

/**
 * Reads a list of usages, such as `refsync backup FOLDER [--data FOLDER]`.
 *
 * @param {string} text
 * @returns {Map<string, Usage>}
 */
function usagesIn(text) {
  const lists = blocksIn(text).filter(({ language, text }) => language === "text" && text.startsWith("refsync "));
  const usages = lists.flatMap(({ text }) => text.split(/^(?=refsync )/m));
  return new Map(
    usages.map((usage) => {
      const [, name = "", rest = ""] = commandName.exec(usage) ?? [];
      /** @type {Map<string, Flag>} */
      const flags = new Map();
      const operands = rest
        .replace(/([[(]?)(--[a-z-]+)( [A-Z_]+)?[\])]?(…?)/g, (_, bracket, flag, value, again) => {
          assert.ok(!flags.has(flag), `refsync ${name} has ${flag} twice`);
          flags.set(flag, {
            isRequired: bracket !== "[",
            takesValue: Boolean(value),
            isRepeated: Boolean(again),
          });
          return "";
        })
        .trim();
      assert.match(operands, /^[A-Z_\s]*$/, `refsync ${name}: what is not understood`);
      return [name, { operands: operands.split(/\s+/).filter(Boolean).length, flags }];
    }),
  );
}

/**
 * The texts in backquotes, one line each.
 *
 * @param {string} prose
 */
function spansIn(prose) {
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));
}

/**
 * The tables: the first cell of the header, and the first cell of each row.
 *
 * @param {string} prose
 */
function tablesIn(prose) {
  return [...prose.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) => {
    const [head = "", , ...rows] = table
      .trim()
      .split("\n")
      .map((line) => line.split("|")[1]?.trim() ?? "");
    return { head, rows };
  });
}
