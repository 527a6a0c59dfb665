// Only one process at a time has a data folder. The processes are real, also in process namespaces of their own. They are
// killed and suspended.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { present } from "../../support/present.mjs";
import { spawnForeign } from "../../support/process/namespace.mjs";

/**
 * @import { ChildProcess } from "node:child_process"
 * @import { TestContext } from "node:test"
 */

const noProc = !existsSync("/proc/self/stat") && "this system has no /proc";
const script = fileURLToPath(new URL("lock-holder.mjs", import.meta.url));
/** `flock`, Perl and Python are missing, so the kernel's lock cannot be taken. */
const noKernelLock = { env: { PATH: "/nonexistent" } };

/** @param {TestContext} t */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "refsync-lock-"));
  t.after(async () => {
    // Kills the writers first, then removes the folder.
    for (const { child, exit } of started.splice(0)) {
      child.kill("SIGKILL");
      await exit;
    }
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  });
  return path;
}

/**
 * The processes of the running test.
 *
 * @type {{ child: ChildProcess, exit: Promise<unknown[]> }[]}
 */
const started = [];

/**
 * Starts a process that tries to lock the folder. `said` has its lines.
 *
 * @param {string} path
 * @param {string} name
 * @param {{ wait?: number, mode?: "exclusive" | "shared", isForeign?: boolean, env?: NodeJS.ProcessEnv }} [options]
 */
function want(path, name, { wait = 0, mode = "exclusive", isForeign = false, ...options } = {}) {
  const args = [script, path, name, String(wait), mode];
  const foreign = isForeign ? spawnForeign(args, options) : null;
  /** @type {ChildProcess} */
  const child = foreign?.child ?? spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], ...options });
  /** @type {string[]} */
  const said = [];
  const lines = createInterface({ input: present(child.stdout) });
  lines.on("line", (line) => said.push(line));
  const exit = once(child, "exit");
  const pid = () => foreign?.pid() ?? present(child.pid);
  started.push({ child, exit });
  return {
    said,
    pid,
    exit,
    kill: (/** @type {NodeJS.Signals} */ signal) => process.kill(pid(), signal),
    /**
     * Waits for a line that begins with this word.
     *
     * @param {string} word
     */
    async says(word) {
      for (let waited = 0; waited < 15_000; waited += 20) {
        const line = said.find((text) => text.startsWith(word));
        if (line !== undefined) return line;
        await delay(20);
      }
      return assert.fail(`it does not say ${word}, but: ${said.join("; ")}`);
    },
  };
}

/**
 * The writers and their times, in milliseconds since 1970.
 *
 * @param {string} path
 */
function written(path) {
  const lines = readFileSync(join(path, "written"), "utf8").trim().split("\n");
  return lines.map((line) => ({ name: line.split(" ")[0], at: Number(line.split(" ")[1]) }));
}

test("a process in another process namespace is refused, and has the folder as soon as the first one is killed", async (t) => {
  const path = folder(t);
  const first = want(path, "first", { isForeign: true });
  await first.says("held");
  const second = want(path, "second", { isForeign: true });
  assert.match(await second.says("refused"), /process \d+ uses this data folder; stop it/);
  first.kill("SIGKILL");
  await first.exit;
  assert.ok(existsSync(join(path, "lock")), "a killed process leaves its name");
  const asked = performance.now();
  const third = want(path, "third", { isForeign: true });
  await third.says("held");
  const took = performance.now() - asked;
  assert.ok(took < 1_500, `the kernel says that the first one is gone, without a look of 1.5 s: ${took} ms`);
  third.kill("SIGTERM");
  await third.exit;
  assert.deepEqual(readdirSync(path).sort(), [".lock", "written"], "it leaves nothing that names it");
});

test("a suspended process keeps the folder while the kernel holds its lock, and goes on afterwards", async (t) => {
  const path = folder(t);
  const first = want(path, "first");
  await first.says("held");
  first.kill("SIGSTOP");
  await delay(2_000);
  const second = want(path, "second", { isForeign: true });
  assert.match(await second.says("refused"), /uses this data folder/);
  first.kill("SIGCONT");
  await delay(500);
  first.kill("SIGTERM");
  assert.deepEqual(await first.exit, [0, null]);
  const late = present(written(path).at(-1));
  assert.ok(Date.now() - late.at < 1_500, "nobody took it, so it goes on writing");
});

test("a name that another boot of this machine left is no reason to wait, on a local disk", async (t) => {
  const path = folder(t);
  const first = want(path, "first");
  await first.says("held");
  const lock = readFileSync(join(path, "lock"), "utf8");
  first.kill("SIGKILL");
  await first.exit;
  assert.match(lock, /"machine":"[^"]+"/);
  writeFileSync(join(path, "lock"), lock.replace(/"machine":"[^"]+"/, '"machine":"before the restart"'));
  const second = want(path, "second");
  await second.says("held");
  assert.deepEqual(second.said, ["held"]);
});

test("without the kernel's lock a living process is seen by its beats, in any process namespace", async (t) => {
  const path = folder(t);
  const first = want(path, "first", { ...noKernelLock, isForeign: true });
  await first.says("held");
  const [second, third] = [want(path, "second", { ...noKernelLock, isForeign: true }), want(path, "third")];
  for (const process of [second, third]) assert.match(await process.says("refused"), /uses this data folder/);
  assert.deepEqual([...new Set(written(path).map(({ name }) => name))], ["first"]);
});

for (const { who, options } of [
  { who: "without the kernel's lock", options: noKernelLock },
  { who: "with the kernel's lock", options: {} },
]) {
  test(`a process ${who} is taken for dead without beats, and writes nothing once it wakes up`, async (t) => {
    const path = folder(t);
    const first = want(path, "first", options);
    await first.says("held");
    await delay(300);
    first.kill("SIGSTOP");
    const second = want(path, "second", { ...noKernelLock, isForeign: true });
    await second.says("held");
    first.kill("SIGCONT");
    assert.match(await first.says("lost"), /may use the data folder by now|has taken this data folder/);
    assert.deepEqual(await first.exit, [3, null]);
    await delay(300);
    const lines = written(path);
    const begin = lines.findIndex(({ name }) => name === "second");
    assert.ok(begin > 0, "both have written");
    assert.deepEqual([...new Set(lines.slice(begin).map(({ name }) => name))], ["second"]);
    second.kill("SIGTERM");
    await second.exit;
  });
}

test("of many that find a dead process without the kernel's lock, one takes the folder", async (t) => {
  const path = folder(t);
  const first = want(path, "first", noKernelLock);
  await first.says("held");
  await delay(300);
  first.kill("SIGKILL");
  await first.exit;
  const others = ["a", "b", "c", "d", "e"].map((name) => want(path, name, noKernelLock));
  const outcomes = await Promise.all(others.map((other) => Promise.race([other.says("held"), other.says("refused")])));
  assert.equal(outcomes.filter((line) => line === "held").length, 1, outcomes.join("\n"));
  await delay(500);
  const names = new Set(written(path).map(({ name }) => name));
  assert.equal(names.size, 2, "the first, and one of the others");
});

test("a file lock that somebody deletes comes back while the kernel holds the lock, and ends the process otherwise", async (t) => {
  const path = folder(t);
  const first = want(path, "first");
  await first.says("held");
  rmSync(join(path, "lock"));
  const second = want(path, "second");
  await second.says("refused");
  await delay(600);
  assert.ok(existsSync(join(path, "lock")));
  first.kill("SIGTERM");
  await first.exit;

  const third = want(path, "third", noKernelLock);
  await third.says("held");
  rmSync(join(path, "lock"));
  assert.match(await third.says("lost"), /another process has taken this data folder/);
});

test("a data folder that is deleted is not the process's any more, although it has the kernel's lock", async (t) => {
  const path = folder(t);
  const first = want(path, "first");
  await first.says("held");
  rmSync(join(path, ".lock"));
  rmSync(join(path, "lock"));
  assert.match(await first.says("lost"), /another process has taken this data folder/);
  await want(path, "second").says("held");
});

test("a process that waits says for what, and has the folder once the other one has ended", async (t) => {
  const path = folder(t);
  const first = want(path, "first");
  await first.says("held");
  const second = want(path, "second", { wait: 10_000, isForeign: true });
  assert.match(await second.says("waits"), /process \d+ uses this data folder.*Waiting for it to end/);
  await delay(700);
  assert.equal(second.said.length, 1, "said once");
  first.kill("SIGTERM");
  await second.says("held");
  const third = want(path, "third", { wait: 700 });
  await third.says("refused");
});

test("processes that share a folder keep out one that wants it alone, and are kept out by it", async (t) => {
  const path = folder(t);
  const shared = ["a", "b"].map((name) => want(path, name, { mode: "shared", isForeign: name === "b" }));
  for (const one of shared) await one.says("held");
  await want(path, "alone").says("refused");
  for (const one of shared) one.kill("SIGKILL");
  await Promise.all(shared.map(({ exit }) => exit));
  const alone = want(path, "alone");
  await alone.says("held");
  for (const options of [{}, noKernelLock]) await want(path, "c", { mode: "shared", ...options }).says("refused");
});

/**
 * A process that has ended and that its parent does not wait for. `stat` is the kernel's record of it.
 *
 * @param {TestContext} t
 * @param {string[]} command
 */
async function zombie(t, ...command) {
  const parent = spawn("sh", ["-c", '"$@" & echo $!; exec sleep 600', "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  const [line] = await once(createInterface({ input: parent.stdout }), "line");
  const pid = Number(line);
  const fields = () => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  };
  for (let waited = 0; waited < 15_000; waited += 20) {
    if (fields()[0] === "Z") return { pid, started: fields()[19] };
    await delay(20);
  }
  return assert.fail(`process ${pid} does not become a zombie`);
}

test("a zombie does not hold the folder, although its process id is still there", { skip: noProc }, async (t) => {
  const path = folder(t);
  // It locks the folder, and is killed while its parent does not wait for it.
  const ended = zombie(t, process.execPath, script, path, "first");
  while (!existsSync(join(path, "written"))) await delay(20);
  const pid = Number(readFileSync(join(path, "lock"), "utf8").split(" ")[0]);
  process.kill(pid, "SIGKILL");
  assert.equal((await ended).pid, pid);
  process.kill(pid, 0);
  const second = want(path, "second");
  await second.says("held");
  second.kill("SIGTERM");
  await second.exit;
  // In the format of version 0.1.
  const old = await zombie(t, "sleep", "0.3");
  writeFileSync(join(path, "lock"), `${old.pid} ${old.started}\n`);
  await want(path, "third").says("held");
});

test("the lock of an earlier version is respected, and its process is named", async (t) => {
  const path = folder(t);
  // In the format of version 0.1: the process id and its start, which is the 22nd field of its `stat`.
  const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  writeFileSync(join(path, "lock"), `${process.pid} ${started}\n`);
  assert.match(await want(path, "a").says("refused"), new RegExp(`process ${process.pid} uses this data folder`));
  writeFileSync(join(path, "lock"), "4194303 1\n");
  const line = await want(path, "b").says("refused");
  assert.match(line, /an earlier version of refsync wrote it, process 4194303.*has ended, then delete the file/);
});
