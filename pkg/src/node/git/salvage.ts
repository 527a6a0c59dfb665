/**
 * Saves the intact part of a damaged repository: every ref whose objects all exist and can be read.
 *
 * Git itself judges. A second repository borrows the damaged one's objects and has some of its refs; a fetch from it copies and
 * checks them. If the fetch fails, it is tried with each half of the refs. This goes on until only single refs that cannot be saved
 * are left.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { git, gitEnd } from "./command.js";

/** A ref, as a file of the damaged repository gives it. */
interface Ref {
  name: string;
  id: string;
}

/** The result. */
export interface Salvage {
  /** How many refs were saved. */
  saved: number;
  /** What was not saved: names of refs, or a description of a file whose refs could not be read. */
  lost: string[];
}

/** Copies the intact refs from one bare repository into an empty one. */
export async function salvage(from: string, to: string): Promise<Salvage> {
  const root = dirname(to);
  const { refs, unread } = await readRefs(from);
  const view = join(root, `.new-${randomUUID()}`);
  const lost: string[] = [];
  const until = performance.now() + TIME;
  let tries = 0;
  try {
    await git(root, ["init", "--bare", "--quiet", "--object-format=sha1", "--template=", view]);
    await mkdir(join(view, "objects/info"), { recursive: true });
    await writeFile(join(view, "objects/info/alternates"), `${join(from, "objects")}\n`);
    const copy = async (some: Ref[]): Promise<void> => {
      if (some.length === 0) return;
      tries += 1;
      if (tries <= TRIES && performance.now() < until) {
        const packed = some.map(({ name, id }) => `${id} ${name}\n`).join("");
        await writeFile(join(view, "packed-refs"), `# pack-refs with: sorted \n${packed}`);
        const fetch = [
          "fetch",
          "--quiet",
          "--no-tags",
          "--no-write-fetch-head",
          "--no-auto-maintenance",
          view,
          "+refs/*:refs/*",
        ];
        if ((await gitEnd(root, ["--git-dir", to, ...fetch])).code === 0) return;
      }
      if (some.length === 1 || tries > TRIES) {
        lost.push(...some.map(({ name }) => name));
        return;
      }
      const half = some.length >> 1;
      await copy(some.slice(0, half));
      await copy(some.slice(half));
    };
    await copy(refs);
    // Removes the objects of a failed fetch.
    if (lost.length > 0) await gitEnd(root, ["--git-dir", to, "prune", "--expire=now"]);
  } finally {
    await rm(view, { recursive: true, force: true });
  }
  return { saved: refs.length - lost.length, lost: [...lost, ...unread] };
}

/** The refs in the files of a repository that Git may not be able to list, sorted by name; and what could not be read. */
async function readRefs(path: string): Promise<{ refs: Ref[]; unread: string[] }> {
  const refs = new Map<string, string>();
  const unread: string[] = [];
  const packed = await readFile(join(path, "packed-refs"), "latin1").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") unread.push("packed-refs");
    return "";
  });
  for (const line of packed.split("\n")) {
    const [, id, name] = /^([0-9a-f]{40}) (refs\/\S+)$/.exec(line) ?? [];
    if (id !== undefined && name !== undefined && isName(name)) refs.set(name, id);
    else if (line !== "" && !/^#|^\^[0-9a-f]{40}$/.test(line)) unread.push("a line of packed-refs");
  }
  // The last name in a truncated file may be incomplete.
  const last = packed.endsWith("\n") || packed === "" ? undefined : packed.slice(packed.lastIndexOf("\n") + 1);
  if (last !== undefined) {
    refs.delete(last.slice(last.indexOf(" ") + 1));
    unread.push("the last line of packed-refs");
  }
  const loose = await looseRefs(join(path, "refs"), "refs").catch(() => null);
  if (loose === null) unread.push("the folder refs");
  for (const name of loose ?? []) {
    const text = await readFile(join(path, name), "latin1").catch(() => "");
    const [, id] = /^([0-9a-f]{40})\s*$/.exec(text) ?? [];
    if (/^ref: /.test(text)) continue;
    // A file that cannot be read hides what `packed-refs` once said.
    refs.delete(name);
    if (id !== undefined && isName(name)) refs.set(name, id);
    else unread.push(name);
  }
  const usable = [...refs].filter(([name]) => !name.startsWith("refs/replace/"));
  return { refs: usable.map(([name, id]) => ({ name, id })).sort((a, b) => (a.name < b.name ? -1 : 1)), unread };
}

async function looseRefs(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = await Promise.all(
    entries.map((entry) =>
      entry.isDirectory() ? looseRefs(join(folder, entry.name), `${name}/${entry.name}`) : [`${name}/${entry.name}`],
    ),
  );
  return names.flat().filter((found) => !found.endsWith(".lock"));
}

/** Whether Git takes this for a ref's name in `packed-refs`. A single invalid name would hide all other refs. */
function isName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Git refuses them
  return !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/$|(^|\/)\.|\.(lock)?(\/|$)/.test(name);
}

/** Limits in fetches and in milliseconds: a completely broken repository must not occupy a worker for ever. */
const TRIES = 400;
const TIME = 600_000;
