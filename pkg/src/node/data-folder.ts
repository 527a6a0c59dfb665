/**
 * The folder in which a service on one machine keeps everything: database, repositories, keys.
 *
 * @module
 */

import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { refuseUnknown } from "../options.js";

/** How a data folder is opened. */
export interface DataFolderOptions {
  /** Several processes use it at the same time, whose database is elsewhere: one PostgreSQL. */
  shared?: boolean;
}

/** A data folder that this process holds, alone unless it is shared. */
export interface DataFolder {
  /** Where it is. */
  readonly path: string;
  /** PGlite's folder. */
  readonly database: string;
  /** The bare repositories. */
  readonly repositories: string;
  /** 32 bytes that encrypt stored credentials; made at the first start. Whoever loses them loses the credentials. */
  readonly secretKey: Uint8Array;
  /** Keys before that one, which stand behind it in the file until everything is encrypted with it. */
  readonly previousSecretKeys: Uint8Array[];
  /** What was kept under this name, or null. */
  readKept(name: string): Promise<string | null>;
  /** Keeps a line in a file of this name that only the owner can read. */
  keep(name: string, text: string): Promise<void>;
  /** Lets another process have it. */
  release(): Promise<void>;
}

/** Opens the folder, making it where there is none. Rejects where another process holds it alone. */
export async function openDataFolder(folder: string, options: DataFolderOptions = {}): Promise<DataFolder> {
  refuseUnknown("openDataFolder", options, { shared: true } satisfies Record<keyof DataFolderOptions, true>);
  const { shared = false } = options;
  const path = resolve(folder);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (shared) await refuseHeld(path);
  const release = shared ? async () => {} : await lock(path);
  const readKept = (name: string) => readOrNull(join(path, name)).then((text) => text?.trim() ?? null);
  const keep = async (name: string, text: string) => {
    // Written elsewhere and renamed: a crash leaves the old file or the new one, never half of one.
    const unfinished = join(path, `.${name}-${randomUUID()}`);
    await writeFile(unfinished, `${text}\n`, { mode: 0o600, flush: true });
    await rename(unfinished, join(path, name));
  };
  try {
    const [secretKey, ...previousSecretKeys] = await secretKeysOf(path, readKept);
    return {
      path,
      database: join(path, "database"),
      repositories: join(path, "repositories"),
      secretKey,
      previousSecretKeys,
      readKept,
      keep,
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** One key a line, the present one first. */
async function secretKeysOf(path: string, readKept: DataFolder["readKept"]): Promise<[Uint8Array, ...Uint8Array[]]> {
  const name = "secret.key";
  if ((await readKept(name)) === null) {
    // Of several processes that start at once, all use the key of the first.
    const unfinished = join(path, `.${name}-${randomUUID()}`);
    await writeFile(unfinished, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flush: true });
    await linked(unfinished, join(path, name));
    await rm(unfinished, { force: true });
  }
  const [present = "", ...previous] = ((await readKept(name)) ?? "").split("\n");
  const decode = (line: string) => {
    const bytes = Buffer.from(line, "base64");
    if (bytes.length !== 32) throw new Error(`${join(path, name)}: has a line that is not 32 bytes in base64`);
    return new Uint8Array(bytes);
  };
  return [decode(present), ...previous.map(decode)];
}

/** Throws where a process holds the folder alone. */
async function refuseHeld(folder: string): Promise<void> {
  const holder = await readOrNull(join(folder, "lock"));
  if (holder !== null && (await isAlive(holder))) throw inUse(folder, holder);
}

function inUse(folder: string, holder: string): Error {
  const pid = holder.split(" ")[0];
  return new Error(`${folder}: process ${pid} uses this data folder; stop it, or name another folder`);
}

/**
 * Takes the folder's lock: a file that names the process. `link` makes it appear whole or not at all; the lock of a
 * process that is no more is moved away, and looked at again once moved, since somebody else may have been quicker.
 */
async function lock(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  const mine = `${process.pid} ${await startTime(process.pid)}\n`;
  const own = join(folder, `.lock-${randomUUID()}`);
  await writeFile(own, mine, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      if (await linked(own, path)) {
        return async () => {
          if ((await readOrNull(path)) === mine) await unlink(path);
        };
      }
      const holder = await readOrNull(path);
      if (holder === null) continue;
      if (await isAlive(holder)) throw inUse(folder, holder);
      const stale = `${own}-stale`;
      await rename(path, stale).catch(() => {});
      const moved = await readOrNull(stale);
      if (moved !== null && moved !== holder) await linked(stale, path);
      await rm(stale, { force: true });
    }
    throw new Error(`${path}: cannot be taken; other processes keep taking it`);
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Whether the process that wrote this lock still runs: its id, and not since taken by another process. */
async function isAlive(holder: string): Promise<boolean> {
  const [pid = "", started = ""] = holder.trim().split(" ");
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = await startTime(Number(pid));
  return started === "-" || now === "-" || started === now;
}

/** When a process started, in the kernel's clock ticks since boot; `-` where the system does not tell. */
async function startTime(pid: number): Promise<string> {
  const stat = await readOrNull(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold anything; the start is the 22nd.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
