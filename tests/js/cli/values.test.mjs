// Every flag that takes a number refuses other texts, and says what is allowed. Its default and the examples of its refusal are
// allowed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { commandLine } from "../../../pkg/dist/cli/program.js";

const commands = commandLine().commands.flatMap((command) => (command.commands.length ? command.commands : [command]));
const flags = commands.flatMap((command) =>
  command.options
    .filter(({ flags }) => /<(number|seconds|time|calls|MiB|bytes\/seconds)>$/.test(flags))
    .map((option) => /** @type {const} */ ([`refsync ${command.name()} ${option.flags}`, option])),
);

const noNumbers = [
  "",
  " ",
  "1 ",
  " 1",
  "NaN",
  "Infinity",
  "-1",
  "+1",
  "1e3",
  "0x10",
  "1_000",
  "1,5",
  "1.5.5",
  "٣",
  "many",
];
const tooLarge = "99999999999999999999";

/**
 * The value that the flag reads from a text, or its refusal.
 *
 * @param {(typeof flags)[number][1]} option
 * @param {string} text
 */
function read({ parseArg }, text) {
  try {
    return { value: parseArg?.(text, undefined) };
  } catch (error) {
    return { refusal: /** @type {Error} */ (error).message };
  }
}

test("there are flags of each kind", () => {
  const kinds = new Set(flags.map(([name]) => name.slice(name.indexOf("<"))));
  assert.deepEqual([...kinds].sort(), ["<MiB>", "<bytes/seconds>", "<calls>", "<number>", "<seconds>", "<time>"]);
});

for (const [name, declared] of flags) {
  /** @param {string} text */
  const readFresh = (text) => {
    // An option remembers the value that it has read.
    const again = commandLine().commands.flatMap((one) => [one, ...one.commands]);
    const at = commands.findIndex((one) => one.options.includes(declared));
    const same = again.filter(({ commands }) => commands.length === 0)[at];
    return read(/** @type {typeof declared} */ (same?.options.find(({ long }) => long === declared.long)), text);
  };

  test(`${name} refuses what is no such number, and says what is allowed`, () => {
    const { refusal: words = "" } = readFresh("many");
    assert.match(words, /^must be a (whole )?number .*\d.*\.$/);
    const fractions = /^must be a whole number/.test(words) ? ["1.5", "1.0", "1.5d"] : [];
    for (const text of [...noNumbers, ...fractions, tooLarge])
      assert.deepEqual(readFresh(text), { refusal: words }, text);
  });

  test(`${name} takes the bounds and the examples of its refusal`, () => {
    const { refusal: words = "" } = readFresh("many");
    const unit = / m, h or d/.test(words) ? "d" : "";
    const bounds = /from (\d+) to (\d+)/.exec(words);
    if (bounds !== null) {
      const [least, most] = [Number(bounds[1]), Number(bounds[2])];
      for (const text of [least, most]) assert.ok("value" in readFresh(`${text}${unit}`), `${text}`);
      for (const text of [least - 1, most + 1])
        assert.deepEqual(readFresh(`${text}${unit}`), { refusal: words }, `${text}`);
    }
    const [, said = ""] = /(?:such as|above 0, such as) (.*)\.$/.exec(words) ?? [];
    const examples = said.split(/,? or |, /).filter((text) => /^[\d./:]+[mhd]?$/.test(text));
    assert.ok(bounds !== null || examples.length > 0, words);
    for (const text of examples) assert.ok("value" in readFresh(text), text);
  });
}
