// What a command costs: wall seconds, CPU seconds and peak memory of its processes, itself and all that it starts.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Runs a command to its end and measures it; `end` is in milliseconds since 1970. Throws when it fails. */
export async function measure([command, ...args], options = {}) {
  // The shell waits for the command and all of its children, and then tells what they took.
  const script = '"$@" >&3; code=$?; times; exit $code';
  const start = performance.now();
  const shell = spawn("bash", ["-c", script, "bash", command, ...args], {
    ...options,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let [times, errors, stdout] = ["", "", ""];
  shell.stdout.on("data", (chunk) => (times += chunk));
  shell.stderr.on("data", (chunk) => (errors += chunk));
  shell.stdio[3].on("data", (chunk) => (stdout += chunk));
  const memory = watchMemory(shell.pid);
  const code = await new Promise((resolve) => shell.on("close", resolve));
  const end = performance.now();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ended with ${code}: ${errors}`);
  const [user, system] = times.trim().split("\n")[1].split(" ").map(seconds);
  const wall = (end - start) / 1000;
  return { wall, end: performance.timeOrigin + end, cpu: user + system, memory: memory.stop(), stdout };
}

/** `0m1.234s` in seconds. */
function seconds(text) {
  const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(text);
  return Number(minutes) * 60 + Number(rest);
}

/** The largest high-water mark of one process below `parent`, in MB; read every few milliseconds. */
function watchMemory(parent) {
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

/** All processes below one; from its threads' lists, for a look at all processes would take a tenth of a core. */
function descendants(parent) {
  const lists = threads(parent).map((thread) => read(`/proc/${parent}/task/${thread}/children`));
  return lists
    .flatMap((list) => list.split(" ").filter(Boolean).map(Number))
    .flatMap((child) => [child, ...descendants(child)]);
}

function threads(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // It has just ended.
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // It has just ended.
  }
}

/** The middle one of some numbers. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
