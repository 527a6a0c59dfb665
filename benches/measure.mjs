// Measures the cost of a command: wall seconds, CPU seconds and peak memory of the process and its child processes.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/**
 * Runs a command to its end and measures it. `end` is in milliseconds since 1970. Throws if the command fails.
 *
 * @param {import("./types.mjs").Command} command
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 */
export async function measure([command, ...args], options = {}) {
  // The shell waits for the command and all of its children, and then prints their times.
  const script = '"$@" >&3; code=$?; times; exit $code';
  const start = performance.now();
  const shell = spawn("bash", ["-c", script, "bash", command, ...args], {
    ...options,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let [times, errors, stdout] = ["", "", ""];
  const streams = /** @type {import("node:stream").Readable[]} */ (shell.stdio.slice(1));
  streams[0]?.on("data", (chunk) => (times += chunk));
  streams[1]?.on("data", (chunk) => (errors += chunk));
  streams[2]?.on("data", (chunk) => (stdout += chunk));
  const memory = watchMemory(shell.pid ?? 0);
  const code = await new Promise((resolve) => shell.on("close", resolve));
  const end = performance.now();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ended with ${code}: ${errors}`);
  // The second line has the times of the children.
  const [user = 0, system = 0] = (times.trim().split("\n")[1] ?? "").split(" ").map(seconds);
  const wall = (end - start) / 1000;
  return { wall, end: performance.timeOrigin + end, cpu: user + system, memory: memory.stop(), stdout };
}

/**
 * Converts `0m1.234s` to seconds.
 *
 * @param {string} text
 */
function seconds(text) {
  const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(text) ?? [];
  if (minutes === undefined) throw new Error(`bash's times: ${text}: not a time such as 0m1.234s`);
  return Number(minutes) * 60 + Number(rest);
}

/**
 * The largest peak memory of a process below `parent`, in MB, read every few milliseconds.
 *
 * @param {number} parent
 */
function watchMemory(parent) {
  /** @type {Map<number, number>} */
  const peaks = new Map();
  const look = () => {
    for (const pid of descendants(parent)) {
      const peak = Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
      peaks.set(pid, Math.max(peak, peaks.get(pid) ?? 0));
    }
  };
  const timer = setInterval(look, 15);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(0, ...peaks.values());
    },
  };
}

/**
 * All processes below a process. They are read from the lists of its threads, because scanning all processes would use a
 * tenth of a core.
 *
 * @param {number} parent
 * @returns {number[]}
 */
function descendants(parent) {
  const lists = threads(parent).map((thread) => read(`/proc/${parent}/task/${thread}/children`));
  return lists
    .flatMap((list) => list.split(" ").filter(Boolean).map(Number))
    .flatMap((child) => [child, ...descendants(child)]);
}

/** @param {number} pid */
function threads(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // The process has just ended.
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process has just ended.
  }
}

/**
 * The median of some numbers.
 *
 * @param {number[]} numbers
 */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[sorted.length % 2 ? middle : middle - 1], sorted[middle]];
  if (below === undefined || above === undefined) return Number.NaN;
  return (below + above) / 2;
}
