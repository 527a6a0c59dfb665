// Measures a command with its child processes: its time, and the memory that all of them use together.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * @typedef {object} Measured
 * @property {number | null} code
 * @property {string} stdout
 * @property {string} stderr
 * @property {number} seconds
 * @property {number} memory Megabytes of all its processes at once.
 * @property {number} largest Megabytes of its largest process.
 */

/**
 * Runs a command to its end.
 *
 * @param {[command: string, ...args: string[]]} command
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<Measured>}
 */
export async function measuredTree([command, ...args], options = {}) {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const { pid } = child;
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  let memory = 0;
  let largest = 0;
  const timer = setInterval(() => {
    let sum = 0;
    for (const id of pid === undefined ? [] : tree(pid)) {
      const status = read(`/proc/${id}/status`);
      sum += kilobytes(status, "VmRSS");
      // A process's own high-water mark also includes peaks between two looks.
      largest = Math.max(largest, kilobytes(status, "VmHWM") / 1024);
    }
    memory = Math.max(memory, sum / 1024);
  }, 10);
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(timer);
  return {
    code,
    stdout,
    stderr,
    seconds: (performance.now() - start) / 1000,
    memory: Math.max(memory, largest),
    largest,
  };
}

/**
 * @param {number} pid
 * @returns {number[]}
 */
function tree(pid) {
  return [pid, ...children(pid).flatMap(tree)];
}

/** @param {number} pid */
function children(pid) {
  const threads = list(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

/**
 * @param {string} status
 * @param {string} name
 */
function kilobytes(status, name) {
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
}

/** @param {string} path */
function list(path) {
  try {
    return readdirSync(path);
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
