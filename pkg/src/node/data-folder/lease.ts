/**
 * A data folder that one process has for as long as it beats; see `lock.ts`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import {
  beat,
  type Holder,
  kernelLockDevice,
  lockFile,
  names,
  readHolder,
  removeBeats,
  removeHolder,
  writeHolder,
} from "./holder.js";

/** A data folder that this process may use. */
export interface FolderLock {
  /** Throws if another process may have the folder by now. Call it before each write. */
  check(): void;
  /** Lets another process have it. */
  release(): Promise<void>;
}

/** Milliseconds. */
export interface Timing {
  /** Between two beats. */
  beat: number;
  /** A holder stops itself after this time without a beat. */
  lease: number;
  /** A holder counts as dead after this time without a beat. Longer than the lease. */
  watch: number;
}

/** The settings of a lease. */
export interface LeaseOptions {
  timing: Timing;
  /** Whether the kernel keeps everybody else out for as long as this process lives. */
  isFenced: boolean;
  onLost: (error: Error) => void;
  /** Gives the kernel's lock back. */
  free: () => Promise<void>;
}

/** A folder that this process has for as long as it beats. */
export class Lease implements FolderLock {
  readonly #folder: string;
  readonly #me: Holder & { owner: string };
  readonly #options: LeaseOptions;
  #timer: NodeJS.Timeout | undefined;
  #beats = 0;
  #beating: Promise<void> | undefined;
  #isHeld = false;
  #isReleased = false;
  /** When the folder was last known to be this process's own: by the monotonic clock, and by the wall clock. */
  #known = { at: 0, wall: 0 };
  #lost: Error | undefined;

  constructor(folder: string, me: Holder & { owner: string }, options: LeaseOptions) {
    this.#folder = folder;
    this.#me = me;
    this.#options = options;
  }

  /** Takes a folder that nobody holds. False if somebody else was quicker. */
  async take(): Promise<boolean> {
    this.#isHeld = await this.#writeName("nobody");
    return this.#isHeld;
  }

  /**
   * Takes the folder of a process that has ended. False if somebody else wrote its name into `lock` within the next `settle`
   * milliseconds, in which a holder that only seemed to be dead has stopped itself.
   */
  async takeOver(gone: Holder, settle: number): Promise<boolean> {
    await this.#writeName("anybody");
    await removeBeats(this.#folder, gone.owner);
    if (settle > 0) await delay(settle);
    this.#isHeld = this.#lost === undefined && (await readHolder(this.#folder))?.owner === this.#me.owner;
    if (!this.#isHeld) {
      clearInterval(this.#timer);
      this.#isReleased = true;
      await removeBeats(this.#folder, this.#me.owner);
    }
    return this.#isHeld;
  }

  /** Writes this process's name into `lock`, and beats from then on. False if a name is there that must stay. */
  async #writeName(over: "nobody" | "anybody"): Promise<boolean> {
    this.#note();
    await beat(this.#folder, this.#me.owner, 0);
    if (!(await writeHolder(this.#folder, this.#me, over))) {
      await removeBeats(this.#folder, this.#me.owner);
      return false;
    }
    this.#timer = setInterval(() => this.#turn(), this.#options.timing.beat).unref();
    return true;
  }

  check(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (!this.#isLate() && !this.#isWallLate()) return;
    if (this.#isLate() && !this.#options.isFenced) {
      this.#lose(this.#tooLate());
    } else {
      // Probably nobody has taken the folder. One look at `lock` makes sure.
      const look = this.#look();
      if (look !== null) this.#lose(look);
      else this.#note();
    }
    if (this.#lost !== undefined) throw this.#lost;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#isReleased = true;
    // A file system that does not answer must not keep the process from ending.
    await Promise.race([this.#beating, delay(this.#options.timing.beat, undefined, { ref: false })]);
    if (this.#lost === undefined && (await readHolder(this.#folder))?.owner === this.#me.owner) {
      await removeHolder(this.#folder, this.#me);
    }
    this.#lost ??= new Error(`${this.#folder}: this process has given the data folder back`);
    await this.#options.free();
  }

  #turn(): void {
    if (this.#isLate() && !this.#options.isFenced) {
      this.#lose(this.#tooLate());
      return;
    }
    this.#beating ??= this.#beat()
      // The next beat may succeed. If none succeeds for too long, the lease ends.
      .catch(() => {})
      .finally(() => {
        this.#beating = undefined;
      });
  }

  async #beat(): Promise<void> {
    const asked = { at: performance.now(), wall: Date.now() };
    const found = await readHolder(this.#folder);
    // If the lock file is gone, another process can create it again and lock it.
    const isFenced = this.#options.isFenced && (await kernelLockDevice(this.#folder)) === this.#me.device;
    if (this.#isReleased || this.#lost !== undefined) return;
    if (found === null && isFenced) {
      // Somebody deleted the file. Nobody else can have the folder, so it is written again.
      if (!(await writeHolder(this.#folder, this.#me, "nobody"))) return;
    } else if (found?.owner !== this.#me.owner) {
      this.#lose(taken(this.#folder, found));
      return;
    }
    this.#beats += 1;
    await beat(this.#folder, this.#me.owner, this.#beats);
    this.#known = asked;
  }

  #note(): void {
    this.#known = { at: performance.now(), wall: Date.now() };
  }

  #isLate(): boolean {
    return performance.now() - this.#known.at > this.#options.timing.lease;
  }

  /**
   * Whether the machine may have been suspended: the monotonic clock stands still then, and the wall clock does not. Somebody may
   * also have set the clock, so this alone does not mean that the folder is lost.
   */
  #isWallLate(): boolean {
    return Date.now() - this.#known.wall > this.#options.timing.lease;
  }

  #look(): Error | null {
    try {
      if (names(readFileSync(lockFile(this.#folder), "utf8"), this.#me.owner)) return null;
    } catch (error) {
      if (this.#options.isFenced && (error as NodeJS.ErrnoException).code === "ENOENT") return null;
      return new Error(`${lockFile(this.#folder)}: cannot be read: ${(error as Error).message}`, { cause: error });
    }
    return taken(this.#folder, null);
  }

  #tooLate(): Error {
    const seconds = Math.round((performance.now() - this.#known.at) / 1000);
    return new Error(
      `${this.#folder}: this process could not show for ${seconds} s that it lives, so another one may use the data folder by now. ` +
        "It was suspended, or the file system did not answer",
    );
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    clearInterval(this.#timer);
    // Before that, the folder did not belong to this process.
    if (this.#isHeld) this.#options.onLost(error);
  }
}

function taken(folder: string, holder: Holder | null): Error {
  const who = holder === null ? "another process" : `process ${holder.pid} on ${holder.host}`;
  return new Error(`${folder}: ${who} has taken this data folder`);
}
