// Makes wasm-bindgen's declarations compile without the DOM library.
import { readFileSync, writeFileSync } from "node:fs";

import { StepError } from "../command.mjs";

/**
 * Names that only the DOM library or a newer ECMAScript library declares, and what they stand for. `pkg/src/globals.ts` cannot
 * declare them, because a type alias may be declared only once.
 *
 * @type {[pattern: RegExp, replacement: string][]}
 */
const REPLACEMENTS = [
  [/\bRequestInfo\b(?! or|\})/g, "string | Request"],
  [/\bBufferSource\b/g, "ArrayBuffer | ArrayBufferView<ArrayBuffer>"],
  // Only classes of the glue have it, and the package uses those only inside.
  [/^ *\[Symbol\.dispose\]\(\): void;\n/gm, ""],
];

/**
 * Rewrites the file in place.
 *
 * @param {string} file
 */
export function portableDeclarations(file) {
  let source = readFileSync(file, "utf8");
  for (const [pattern, replacement] of REPLACEMENTS) source = source.replace(pattern, replacement);
  const left = source.replace(/\/\*[\s\S]*?\*\//g, "").match(/\b(RequestInfo|BufferSource|Symbol\.dispose)\b/);
  if (left) throw new StepError(`${file}: ${left[0]} is left, which needs a library that users may not have`);
  writeFileSync(file, source);
}
