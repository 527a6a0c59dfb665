/**
 * A file lock that the kernel holds for this process. The kernel drops it when the process ends for any reason.
 *
 * Node cannot lock a file. But a lock (`flock`) belongs to the open file, and a child process shares that file. So `flock(1)`, Perl
 * or Python locks the file that this process opened, and ends. The lock stays for as long as this process has the file open. Every
 * process that opens the same file sees the lock, even from another container, or over NFS from another machine. On macOS and the
 * BSDs, opening the file can take the lock.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { close as closeFile, constants, open as openFile } from "node:fs";
import { promisify } from "node:util";

const open = promisify(openFile);
const close = promisify(closeFile);

/** Exclusive, or shared with others. */
export type LockMode = "exclusive" | "shared";

/** The result of asking for a lock. */
export type KernelLock =
  /** This process has it. */
  | { state: "held"; release(): Promise<void> }
  /** Another process has it. */
  | { state: "taken" }
  /** Nothing here can take it: no program for it, or a file system without locks. */
  | { state: "unavailable" };

/** Takes the lock on this file, and creates the file if it is missing. Never waits for another process. */
export async function kernelLock(path: string, mode: LockMode): Promise<KernelLock> {
  if (opensLocked) return openLocked(path, mode);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const state = await lockThrough(file, mode);
  if (state !== "held") {
    await close(file);
    return { state };
  }
  return { state, release: () => close(file) };
}

/** `O_EXLOCK` and `O_SHLOCK` of the BSDs. */
const opensLocked = ["darwin", "freebsd", "openbsd", "netbsd"].includes(process.platform);

async function openLocked(path: string, mode: LockMode): Promise<KernelLock> {
  const lock = mode === "exclusive" ? 0x20 : 0x10;
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | lock, 0o600);
    return { state: "held", release: () => close(file) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN") return { state: "taken" };
    if (code === "ENOTSUP" || code === "EOPNOTSUPP") return { state: "unavailable" };
    throw error;
  }
}

/** Lets the first program that is installed lock the open file, which is its descriptor 3. */
async function lockThrough(file: number, mode: LockMode): Promise<KernelLock["state"]> {
  for (const [command, ...args] of programs(mode)) {
    const end = await ended(command, args, file);
    if (end === null) continue;
    if (end.code === 0) return "held";
    // Each of them exits with 1 and prints nothing if another process has the lock.
    return end.code === 1 && end.said === "" ? "taken" : "unavailable";
  }
  return "unavailable";
}

function programs(mode: LockMode): [string, ...string[]][] {
  const flock = mode === "exclusive" ? "-x" : "-s";
  // LOCK_EX or LOCK_SH, with LOCK_NB.
  const operation = mode === "exclusive" ? 6 : 5;
  const perl = `open(my $f, "+<&=", 3) or exit 2; exit 0 if flock($f, ${operation}); exit($!{EWOULDBLOCK} ? 1 : 2)`;
  const python = [
    "import fcntl, sys",
    "try:",
    `  fcntl.flock(3, ${operation})`,
    "except BlockingIOError: sys.exit(1)",
    "except OSError: sys.exit(2)",
  ];
  return [
    ["flock", flock, "-n", "3"],
    ["perl", "-MErrno", "-e", perl],
    ["python3", "-c", python.join("\n")],
  ];
}

/** Runs a program with `file` as its descriptor 3, and returns how it ended; null if it is not installed. */
function ended(command: string, args: string[], file: number): Promise<{ code: number | null; said: string } | null> {
  return new Promise((resolve, reject) => {
    // A network file system whose lock service is down may not answer at all.
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe", file], timeout: 5_000 });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "EACCES") resolve(null);
      else reject(error);
    });
    child.on("close", (code) => resolve({ code, said }));
  });
}
