/**
 * Who uses a data folder: the file `lock` names the process, and a file of the process's own shows that it lives.
 *
 * ```text
 *  lock            process id, its start, and {owner, host, since, machine, device, kernel} in JSON
 *  .beat-<owner>   a number that grows for as long as the owner lives
 * ```
 *
 * Earlier versions wrote only the first two words of `lock`, so they also see that the folder is in use.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { open, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { linkIfFree, readIfThere } from "../files.js";

/** A process that uses a data folder, or that ended without removing `lock`. */
export interface Holder {
  /** The process id, in the namespace of that process. */
  pid: number;
  /** When it started, in clock ticks since the kernel did; `-` if the system does not say. */
  started: string;
  /** A random id. Null in a lock of an earlier version, which had none. */
  owner: string | null;
  host: string;
  /** When it took the folder, RFC 3339 in UTC. */
  since: string;
  /** The running kernel: another one after a restart of the machine. */
  machine: string;
  /** The number that the kernel gives to the file that it locks. */
  device: string;
  /** Whether the process also has the kernel's lock. */
  kernel: boolean;
}

/** This process, as the holder of a folder. */
export async function thisProcess(folder: string, kernel: boolean): Promise<Holder & { owner: string }> {
  return {
    pid: process.pid,
    started: await startTime(process.pid),
    owner: randomUUID(),
    host: hostname(),
    since: new Date().toISOString(),
    machine: await runningKernel(),
    device: (await kernelLockDevice(folder)) ?? "",
    kernel,
  };
}

/** The file that the kernel locks. It is never removed, because a lock on a replaced file protects nothing. */
export function kernelLockFile(folder: string): string {
  return join(folder, ".lock");
}

/** The number of that file; null if it is gone. */
export async function kernelLockDevice(folder: string): Promise<string | null> {
  return stat(kernelLockFile(folder)).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}

/** The holder that `lock` names; null if there is none. */
export async function readHolder(folder: string): Promise<Holder | null> {
  const text = await readIfThere(lockFile(folder));
  return text === null ? null : parsed(text);
}

/** Makes `lock` name this process. False if another process was first. */
export async function writeHolder(folder: string, holder: Holder, over: "nobody" | "anybody"): Promise<boolean> {
  const { pid, started, ...rest } = holder;
  // Writes another file first, so `lock` never holds half a line.
  const own = join(folder, `.lock-${randomUUID()}`);
  await writeFile(own, `${pid} ${started} ${JSON.stringify(rest)}\n`, { mode: 0o600, flush: true });
  try {
    if (over === "nobody") return await linkIfFree(own, lockFile(folder));
    await rename(own, lockFile(folder));
    return true;
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes `lock`, and the beats of its owner. */
export async function removeHolder(folder: string, { owner }: Holder): Promise<void> {
  await rm(lockFile(folder), { force: true });
  if (owner !== null) await rm(beatFile(folder, owner), { force: true });
}

/**
 * Shows that the owner lives. Writes the file in place and closes it, because a network file system passes a closed file on at
 * once.
 */
export async function beat(folder: string, owner: string, count: number): Promise<void> {
  const file = await open(beatFile(folder, owner), count === 0 ? "wx" : "r+", 0o600);
  try {
    await file.write(String(count).padStart(12, "0"), 0);
  } finally {
    await file.close();
  }
}

/** The owner's last beat; null if there is none. */
export async function lastBeat(folder: string, owner: string | null): Promise<string | null> {
  return owner === null ? null : readIfThere(beatFile(folder, owner));
}

/** Removes the beats of a process that is gone. */
export async function removeBeats(folder: string, owner: string | null): Promise<void> {
  if (owner !== null) await rm(beatFile(folder, owner), { force: true });
}

/** Where `lock` is. */
export function lockFile(folder: string): string {
  return join(folder, "lock");
}

/** Whether `lock` names this owner: `text` is what is in it. */
export function names(text: string, owner: string): boolean {
  return parsed(text).owner === owner;
}

/**
 * Whether this process can see the holder. `unseen` proves nothing, because the process id of another container means nothing here.
 */
export async function sighting({ pid, started }: Holder): Promise<"running" | "ended" | "unseen"> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "unseen";
  }
  const now = await processState(pid);
  if (now === null) return "running";
  if (started !== "-" && started !== now.started) return "unseen";
  // A zombie holds no files any more. It exists only until its parent reads its exit code.
  return ENDED.has(now.state) ? "ended" : "running";
}

/** Whether no other machine can reach this folder: it is on a disk of this machine. */
export async function isLocal(folder: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const { type } = await statfs(folder);
  return LOCAL_FILE_SYSTEMS.has(type);
}

function beatFile(folder: string, owner: string): string {
  return join(folder, `.beat-${owner}`);
}

function parsed(text: string): Holder {
  const [, pid = "0", started = "-", json = "{}"] = /^(\d+) (\S+)(?: (\{.*\}))?\s*$/.exec(text) ?? [];
  const { owner = null, host = "", since = "", machine = "", device = "", kernel = false } = parsedJson(json);
  return { pid: Number(pid), started, owner, host, since, machine, device, kernel };
}

function parsedJson(text: string): Partial<Holder> {
  try {
    return JSON.parse(text) as Partial<Holder>;
  } catch {
    return {};
  }
}

async function runningKernel(): Promise<string> {
  return (await readIfThere("/proc/sys/kernel/random/boot_id"))?.trim() ?? hostname();
}

/** When a process started, in the kernel's clock ticks since it started; `-` if the system does not say. */
async function startTime(pid: number): Promise<string> {
  return (await processState(pid))?.started ?? "-";
}

/** What Linux reports about a process; null if there is no such process, or if this is not Linux. */
async function processState(pid: number): Promise<{ state: string; started: string } | null> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the program's name in parentheses, which may hold anything. The state is the third, the start the 22nd.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", started = "-"] = [fields[0], fields[19]];
  return { state, started };
}

/** Linux's magic numbers of local file systems: ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, overlayfs, tmpfs, ramfs. */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x794c7630, 0x01021994, 0x858458f6,
]);

/** States of a process that has ended: a zombie, and one that the kernel is removing. */
const ENDED = new Set(["Z", "X", "x"]);
