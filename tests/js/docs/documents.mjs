/** The documents: their fenced blocks, and the commands that they tell people to type. */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The documents, as paths from the checkout. */
export const documents = [
  "README.md",
  "pkg/README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `docs/${name}`),
];

/**
 * @typedef {object} Block
 * @property {string} language The word behind the opening fence; empty if there is none.
 * @property {string} text
 * @property {number} line The line of the document in which the text begins.
 * @property {number} section The number of headings before it.
 *
 * @typedef {{ text: string, line: number, section: number }} Command
 */

/** @param {string} document */
export function textOf(document) {
  return readFileSync(join(root, document), "utf8");
}

/**
 * The fenced blocks of a text.
 *
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksIn(text) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {Block & { fence: string } | null} */
  let open = null;
  let section = 0;
  for (const [at, line] of text.split("\n").entries()) {
    const [, fence, language] = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
    if (open !== null && fence?.startsWith(open.fence)) {
      const { fence: _, ...block } = open;
      blocks.push(block);
      open = null;
    } else if (open !== null) {
      open.text += `${line}\n`;
    } else if (fence !== undefined) {
      open = { language: language ?? "", text: "", line: at + 2, section, fence };
    } else if (/^#{1,6} /.test(line)) {
      section += 1;
    }
  }
  if (open !== null) throw new Error(`the block that begins in line ${open.line} does not end`);
  return blocks;
}

/**
 * The text without its fenced blocks.
 *
 * @param {string} text
 */
export function proseOf(text) {
  return text.replace(/^\s*(`{3,}|~{3,}).*\n[\s\S]*?^\s*\1\s*$/gm, "");
}

/**
 * The commands of all `sh` blocks, in the order of the text. Throws if a block ends in the middle of a command.
 *
 * @param {string} text
 * @returns {Command[]}
 */
export function commandsIn(text) {
  return blocksIn(text)
    .filter(({ language }) => language === "sh")
    .flatMap(commandsOf);
}

/**
 * @param {Block} block
 * @returns {Command[]}
 */
function commandsOf({ text, line, section }) {
  const commands = [];
  let command = "";
  for (const [at, read] of text.trimEnd().split("\n").entries()) {
    if (command === "" && /^\s*(#|$)/.test(read)) continue;
    command += command === "" ? read : `\n${read}`;
    if (!isComplete(command)) continue;
    commands.push({ text: command, line: line + at - command.split("\n").length + 1, section });
    command = "";
  }
  if (command !== "") throw new Error(`not a complete command: ${command}`);
  return commands;
}

/**
 * Whether the shell would run the command, instead of waiting for another line.
 *
 * @param {string} command
 */
function isComplete(command) {
  if (command.endsWith("\\")) return false;
  const { status, stderr } = spawnSync("bash", ["-n"], { input: `${command}\n`, encoding: "utf8" });
  // For an unfinished here-document, the shell only prints a warning.
  return status === 0 && stderr === "";
}
