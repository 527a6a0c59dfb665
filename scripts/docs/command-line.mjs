// The reference of the command line, generated from its declaration: `node scripts/docs/command-line.mjs` writes it into
// docs/reference/command-line.md, between two marks.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isMain, main, root, StepError } from "../command.mjs";

/** @import { CommandUnknownOpts, Option } from "@commander-js/extra-typings" */

const page = join(root, "docs/reference/command-line.md");
const [START, END] = ["<!-- commands -->", "<!-- /commands -->"];
const WIDTH = 118;

/**
 * The page, with the part between the marks generated anew.
 *
 * @param {CommandUnknownOpts} program
 * @param {string} text The page.
 */
export function withCommands(program, text) {
  const [head, tail] = [text.indexOf(START), text.indexOf(END)];
  if (head < 0 || tail < head) throw new StepError(`${page} has no place for the commands: ${START} … ${END}`);
  const declared = program.commands.flatMap((one) => (one.commands.length === 0 ? [one] : one.commands));
  // Most readers look for `sync`.
  const all = declared.toSorted((a, b) => Number(b.name() === "sync") - Number(a.name() === "sync"));
  return `${text.slice(0, head + START.length)}\n\n${all.map(section).join("\n")}\n${text.slice(tail)}`;
}

/** @param {CommandUnknownOpts} command */
function section(command) {
  const name = nameOf(command);
  const rows = command.options.map((option) => [`\`${option.flags}\``, cell(option.description), defaultOf(option)]);
  const operands = command.registeredArguments.map((one) => [`\`${value(one.name())}\``, cell(one.description)]);
  const parts = [
    `## refsync ${name}`,
    command.description(),
    `\`\`\`text\n${usage(command)}\n\`\`\``,
    ...(operands.length > 0 ? [table(["argument", "meaning"], operands)] : []),
    table([`flag of \`${name}\``, "meaning", "default"], rows),
  ];
  return `${parts.join("\n\n")}\n`;
}

/**
 * Such as `keys create`.
 *
 * @param {CommandUnknownOpts} command
 */
function nameOf(command) {
  const group = command.parent?.parent ? `${command.parent.name()} ` : "";
  return `${group}${command.name()}`;
}

/**
 * One line for each command, folded if it is long.
 *
 * @param {CommandUnknownOpts} command
 */
function usage(command) {
  const words = [
    ...command.registeredArguments.map((one) => value(one.name())),
    ...command.options.map((option) => {
      const [flag = "", taken] = option.flags.split(" ");
      const text = taken === undefined ? flag : `${flag} ${value(taken)}`;
      const again = option.description.endsWith("may be given again");
      if (!option.mandatory) return `[${text}]${again ? "…" : ""}`;
      return again ? `(${text})…` : text;
    }),
  ];
  const name = `refsync ${nameOf(command)}`;
  const lines = [name];
  for (const word of words) {
    const last = lines.at(-1) ?? "";
    if (`${last} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${" ".repeat(name.length)} ${word}`);
  }
  return lines.join("\n");
}

/**
 * A placeholder as it is written in a usage.
 *
 * @param {string} name
 */
function value(name) {
  return name.replaceAll(/[<>]/g, "").replaceAll("/", "_PER_").replaceAll("-", "_").toUpperCase();
}

/** @param {Option} option */
function defaultOf({ defaultValue, defaultValueDescription, envVar, argChoices, negate }) {
  const hasNone = defaultValue === undefined || defaultValue === false || negate;
  const shown = hasNone ? [] : [`\`${defaultValueDescription ?? defaultValue}\``];
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.map((one) => `\`${one}\``).join(", ")}`];
  return [...shown, ...(envVar === undefined ? [] : [`\`${envVar}\``]), ...choices].join("; ");
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll("<", "&lt;").replaceAll("|", "\\|").replaceAll("*", "\\*");
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { commandLine } = await import("../../pkg/dist/cli/program.js");
    writeFileSync(page, withCommands(commandLine(), readFileSync(page, "utf8")));
  });
}
