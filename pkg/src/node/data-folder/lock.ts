/**
 * One process at a time uses a data folder with an embedded database.
 *
 * Two things make sure of that. The kernel's lock is exact: it ends with the process, and not before. But it may be missing, or may
 * not reach every machine that mounts the folder. So the holder also shows every two seconds that it lives:
 *
 * ```text
 *  holder    beats every 2 s; looks before each beat whether `lock` still names it
 *            10 s without a beat: it stops itself, unless the kernel's lock keeps everybody else out
 *  another   sees the kernel's lock: in use
 *            sees that the kernel freed the lock of a dead holder: takes the folder at once
 *            cannot tell: watches for 15 s; no beat: writes its own name, waits another 10 s, takes the folder
 * ```
 *
 * After a suspension, a holder checks before its next write. It finds that its 10 s are over, or that `lock` has another name.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";

import {
  type Holder,
  isLocal,
  kernelLockFile,
  lastBeat,
  lockFile,
  readHolder,
  sighting,
  thisProcess,
} from "./holder.js";
import { type KernelLock, kernelLock, type LockMode } from "./kernel-lock.js";
import { type FolderLock, Lease, type Timing } from "./lease.js";

/** How to lock a folder. */
export interface FolderLockOptions {
  /** Exclusive, or shared with other processes whose database is elsewhere. */
  mode: LockMode;
  /** Milliseconds to wait for another process to end. Default 0. */
  wait?: number;
  /** Called with what this process waits for. */
  onWait?: (message: string) => void;
  /** Called once if this process must not use the folder any more. */
  onLost: (error: Error) => void;
  /** Milliseconds. */
  timing?: Timing;
}

/** Locks the folder. Rejects if another process uses it and does not end within `wait`. */
export async function lockFolder(folder: string, options: FolderLockOptions): Promise<FolderLock> {
  const until = performance.now() + (options.wait ?? 0);
  const attempt = options.mode === "exclusive" ? exclusively : beside;
  let isTold = false;
  for (let nameless = 0; ; ) {
    const found = await attempt(folder, options);
    if ("lock" in found) return found.lock;
    // The holder has just ended, or has just started and has not written its name yet.
    if (found.holder === null && nameless < 10) {
      nameless += 1;
      await delay(50);
      continue;
    }
    const left = until - performance.now();
    if (left <= 0) throw inUse(folder, found.holder);
    if (!isTold) options.onWait?.(`${inUse(folder, found.holder).message}. Waiting for it to end`);
    isTold = true;
    await delay(Math.min(RETRY, left));
  }
}

type Attempt = { lock: FolderLock } | { holder: Holder | null };

async function exclusively(folder: string, options: FolderLockOptions): Promise<Attempt> {
  const { timing = TIMING, onLost } = options;
  const kernel = await kernelLock(kernelLockFile(folder), "exclusive");
  if (kernel.state === "taken") return { holder: await readHolder(folder) };
  const free = () => (kernel.state === "held" ? kernel.release() : Promise.resolve());
  try {
    const me = await thisProcess(folder, kernel.state === "held");
    const isFenced = kernel.state === "held" && (await isLocal(folder));
    const lease = new Lease(folder, me, { timing, isFenced, onLost, free });
    const holder = await readHolder(folder);
    if (holder === null) {
      if (await lease.take()) return { lock: lease };
    } else if (await isGone(folder, holder, kernel, me, options)) {
      const isProved = provesDeath(holder, kernel, me, isFenced);
      if (await lease.takeOver(holder, isProved ? 0 : timing.lease)) return { lock: lease };
    }
    await free();
    return { holder: await readHolder(folder) };
  } catch (error) {
    await free();
    throw error;
  }
}

async function beside(folder: string, options: FolderLockOptions): Promise<Attempt> {
  const kernel = await kernelLock(kernelLockFile(folder), "shared");
  const holder = await readHolder(folder);
  if (kernel.state === "taken") return { holder };
  const free = () => (kernel.state === "held" ? kernel.release() : Promise.resolve());
  try {
    const me = await thisProcess(folder, kernel.state === "held");
    if (holder === null || (await isGone(folder, holder, kernel, me, options))) {
      return { lock: { check() {}, release: free } };
    }
  } catch (error) {
    await free();
    throw error;
  }
  await free();
  return { holder };
}

/** Whether the process that `lock` names has ended. If nothing else proves it, watches for beats. */
async function isGone(
  folder: string,
  holder: Holder,
  kernel: KernelLock,
  me: Holder,
  { timing = TIMING, onWait }: FolderLockOptions,
): Promise<boolean> {
  if (holder.owner === null) {
    const seen = await sighting(holder);
    if (seen !== "unseen") return seen === "ended";
    throw new Error(
      `${lockFile(folder)}: an earlier version of refsync wrote it, process ${holder.pid} of its machine or container. ` +
        "Make sure that this process has ended, then delete the file",
    );
  }
  if (provesDeath(holder, kernel, me, await isLocal(folder))) return true;
  const seconds = Math.ceil(timing.watch / 1000);
  onWait?.(
    `${folder}: process ${holder.pid} on ${holder.host} had this data folder; looking for ${seconds} s if it lives`,
  );
  const first = await lastBeat(folder, holder.owner);
  for (const until = performance.now() + timing.watch; performance.now() < until; ) {
    await delay(Math.min(timing.beat / 2, timing.watch));
    const current = await readHolder(folder);
    // The holder removed `lock` itself, or another process was quicker.
    if (current?.owner !== holder.owner) return false;
    if ((await lastBeat(folder, holder.owner)) !== first) return false;
  }
  return true;
}

/**
 * Whether having the kernel's lock proves that the holder has ended: it had the same lock, and either the folder cannot be reached
 * from other machines, or the holder ran under the same kernel.
 */
function provesDeath(holder: Holder, kernel: KernelLock, me: Holder, isLocalFolder: boolean): boolean {
  if (kernel.state !== "held" || !holder.kernel) return false;
  return isLocalFolder || (holder.machine === me.machine && holder.device === me.device);
}

function inUse(folder: string, holder: Holder | null): Error {
  if (holder === null)
    return new Error(`${folder}: another process uses this data folder; stop it, or name another folder`);
  const { pid, host, since } = holder;
  const where = host === "" ? "" : `. It runs on ${host} since ${since}`;
  return new Error(`${folder}: process ${pid} uses this data folder; stop it, or name another folder${where}`);
}

/** See the module. */
const TIMING: Timing = { beat: 2_000, lease: 10_000, watch: 15_000 };
/** Milliseconds between two attempts. */
const RETRY = 500;
