/**
 * Finds the values of a JSON object in its text without parsing them, because a row may have 20 MB.
 *
 * @module
 */

/** A value of an object. */
export interface JsonValue {
  key: string;
  /** In bytes, as is `to`. */
  from: number;
  to: number;
}

/** The values of an object that is valid JSON, in their order. */
export function* valuesOf(json: Buffer): Generator<JsonValue> {
  let at = next(json, 1);
  while (json[at] === QUOTE) {
    const keyEnd = stringEnd(json, at);
    const key = JSON.parse(json.toString("utf8", at, keyEnd)) as string;
    const from = next(json, next(json, keyEnd) + 1);
    const to = valueEnd(json, from);
    yield { key, from, to };
    at = next(json, to);
    if (json[at] !== COMMA) return;
    at = next(json, at + 1);
  }
}

/** The first place from `at` on that is no white space. */
function next(json: Buffer, at: number): number {
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at += 1;
  return at;
}

/** The position after the string that begins at `at`. */
function stringEnd(json: Buffer, at: number): number {
  let end = json.indexOf(QUOTE, at + 1);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf(QUOTE, end + 1);
  return end < 0 ? json.length : end + 1;
}

function isEscaped(json: Buffer, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

/** The position after the value that begins at `at`. */
function valueEnd(json: Buffer, at: number): number {
  let depth = 0;
  for (let here = at; here < json.length; ) {
    const byte = json[here];
    if (byte === QUOTE) here = stringEnd(json, here);
    else {
      if (byte === 0x7b || byte === 0x5b) depth += 1;
      else if (byte === 0x7d || byte === 0x5d) {
        if (depth === 0) return here;
        depth -= 1;
      } else if (byte === COMMA && depth === 0) return here;
      here += 1;
    }
    if (depth === 0 && (byte === QUOTE || byte === 0x7d || byte === 0x5d)) return here;
  }
  return json.length;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
