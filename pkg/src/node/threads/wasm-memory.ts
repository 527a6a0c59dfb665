/**
 * A maximum for the memory of a WebAssembly module that declares its own.
 *
 * @module
 */

/** A page of WebAssembly memory, in bytes. */
const PAGE = 64 * 1024;

/** The id of the memory section. */
const MEMORY = 5;

/**
 * The module's bytes with a maximum for its memory, in bytes. Code that needs more then fails, and does not take the memory
 * of the whole process. Throws a `TypeError` if the module declares no memory.
 *
 * Source: WebAssembly Core Specification, "Binary Format", sections 5.3.4 (limits) and 5.5.8 (memory section).
 */
export function withMaxMemory(module: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const reader = new Reader(module, 8);
  while (reader.at < module.length) {
    const start = reader.at;
    const id = module[reader.at++];
    const size = reader.unsigned();
    const end = reader.at + size;
    if (id !== MEMORY) {
      reader.at = end;
      continue;
    }
    reader.unsigned(); // How many memories there are: one.
    reader.at += 1; // Whether it has a maximum.
    const minimum = reader.unsigned();
    const limits = [1, 1, ...unsigned(minimum), ...unsigned(Math.max(minimum, Math.ceil(bytes / PAGE)))];
    const section = [MEMORY, ...unsigned(limits.length), ...limits];
    return Uint8Array.from([...module.subarray(0, start), ...section, ...module.subarray(end)]);
  }
  throw new TypeError("the WebAssembly module declares no memory");
}

/** Reads LEB128 numbers. */
class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  unsigned(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  }
}

/** A number in LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
