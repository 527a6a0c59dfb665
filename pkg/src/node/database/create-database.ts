/**
 * Makes a PGlite database in a folder, as a process of its own: `node create-database.js FOLDER`.
 *
 * PGlite 0.5 takes 600 to 900 MB to make a database, and a process never gives this memory back. This module takes 190 MB (measured
 * with 0.5.16), because it avoids three costs. If another version of PGlite works differently, it takes more memory and makes the
 * same database.
 *
 * - PostgreSQL's `initdb` starts the server several times, and PGlite puts the server's memory back to its first state before each
 *   start, from a copy of all 128 MB. Nearly all of it is zeros, and the copy here leaves them out.
 * - The server reserves 128 MB of shared buffers and clears them, although 4 MB are enough for `initdb`.
 * - PGlite makes the database in memory first, unless its file system is in memory. Here it is written to the folder directly.
 *
 * @module
 */

import { MemoryFS, PGlite, type PGliteOptions } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

async function main([folder]: string[]): Promise<void> {
  if (folder === undefined) throw new Error("usage: node create-database.js FOLDER");
  copySparsely();
  reserveLess();
  const startParams = [...(PGlite.defaultStartParams ?? []), "-c", BUFFERS];
  const database = await PGlite.create({ fs: onDisk(folder), startParams });
  await database.close();
}

/** A file system in this folder. PGlite treats it as an in-memory one. */
function onDisk(root: string): NonNullable<PGliteOptions["fs"]> {
  const disk = new NodeFS(root);
  class OnDisk extends MemoryFS {
    override init: MemoryFS["init"] = async (pg, options) => {
      this.pg = pg;
      return disk.init(pg, options);
    };
  }
  return new OnDisk();
}

/** Makes each start of the server reserve few shared buffers. The configuration that `initdb` writes stays the same. */
function reserveLess(): void {
  const { callMain } = PGlite.prototype;
  PGlite.prototype.callMain = function (args) {
    const [mode = "", ...rest] = args;
    if (mode === "--check" || mode === "--boot") return callMain.call(this, [mode, ...rest, "-c", BUFFERS]);
    // The last argument is the database's name.
    if (mode === "--single") return callMain.call(this, [...args.slice(0, -1), "-c", BUFFERS, ...args.slice(-1)]);
    return callMain.call(this, args);
  };
}

/** Makes `slice()` of a large memory skip pages of zeros, and makes `set()` restore them. */
function copySparsely(): void {
  const { slice, set } = Uint8Array.prototype;
  Uint8Array.prototype.slice = function (...range) {
    if (range.length > 0 || this.length < LARGE) return slice.apply(this, range);
    return new SparseCopy(this) as unknown as Uint8Array<ArrayBuffer>;
  };
  Uint8Array.prototype.set = function (array, offset) {
    if (array instanceof SparseCopy) array.writeTo(this);
    else set.call(this, array, offset);
  };
}

class SparseCopy {
  readonly length: number;
  readonly #pages = new Map<number, Buffer>();

  constructor(memory: Uint8Array) {
    this.length = memory.length;
    for (const [at, page] of pages(memory, this.length)) if (!isZero(page)) this.#pages.set(at, Buffer.from(page));
  }

  writeTo(memory: Uint8Array): void {
    for (const [at, page] of pages(memory, this.length)) {
      const kept = this.#pages.get(at);
      if (kept !== undefined) page.set(kept);
      // An untouched page takes no memory. Writing zeros to it would make it take some.
      else if (!isZero(page)) page.fill(0);
    }
  }
}

function* pages(memory: Uint8Array, length: number): Iterable<[number, Buffer]> {
  for (let at = 0; at < length; at += ZEROS.length) {
    yield [at, Buffer.from(memory.buffer, memory.byteOffset + at, Math.min(ZEROS.length, length - at))];
  }
}

function isZero(page: Buffer): boolean {
  return page.compare(ZEROS, 0, page.length) === 0;
}

const BUFFERS = "shared_buffers=4MB";
const ZEROS = Buffer.alloc(64 * 1024);
/** Bytes. */
const LARGE = 64 * 1024 * 1024;

await main(process.argv.slice(2));
