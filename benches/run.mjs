// `npm run bench [-- --repo PATH…] [--rounds N] [--write]`: everybody does the same work, turn about, in one run.
// Medians, and the ratios that matter. `--write` puts the tables into the README.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { main, root, say } from "../scripts/command.mjs";
import { contestants } from "./contestants.mjs";
import { measure, median } from "./measure.mjs";
import { repositories } from "./repositories.mjs";

const { values: flags } = parseArgs({
  options: {
    repo: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(flags.rounds);
const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };

/** What is measured: who takes part, and what is at the destination before each turn. */
const works = [
  {
    name: "first sync",
    who: ["refsync", "git fetch into the destination", "mirror clone + mirror push"],
    before: (at) => empty(at.destination.path),
  },
  {
    name: "20 new commits",
    who: ["refsync", "git push from the source", "git fetch into the destination", "kept mirror: fetch + push"],
    before: (at) => {
      restore(at.old, at.destination.path);
      restore(at.old, at.kept);
      git(at.kept, "config", "remote.origin.url", at.source.url);
      git(at.kept, "config", "remote.origin.fetch", "+refs/*:refs/*");
    },
  },
  {
    name: "nothing new",
    who: ["refsync", "two git ls-remote"],
    before: (at, turn) => turn === 0 && restore(at.source.path, at.destination.path),
  },
];

await main(async () => {
  const folder = mkdtempSync(join(tmpdir(), "refsync-bench-"));
  const server = await gitServer(folder);
  try {
    const text = [];
    for (const repository of await repositories(join(root, "target/bench"), flags.repo)) {
      text.push(await compared(repository, folder, server.url));
    }
    process.stdout.write(`${text.join("\n")}\n`);
    if (flags.write) writeReadme(text.join("\n"));
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function compared({ name, path }, folder, url) {
  const place = (id) => ({ path: join(folder, `${id}.git`), url: `${url}/${id}.git` });
  const at = {
    source: place("source"),
    destination: place("destination"),
    old: join(folder, "old.git"),
    kept: join(folder, "kept.git"),
  };
  restore(path, at.source.path);
  git(at.source.path, "config", "uploadpack.allowFilter", "true");
  keepBranchesAndTags(at.source.path);
  restore(at.source.path, at.old);
  rewind(at.old);
  const table = [
    `**${name}**`,
    "",
    "| work | who | wall s | CPU s | peak MB | wall ÷ refsync's |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const work of works) {
    const results = Object.fromEntries(work.who.map((who) => [who, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [turn, who] of work.who.entries()) {
        work.before(at, round + turn);
        const scratch = join(folder, `scratch-${round}.git`);
        const cost = await measure(contestants[who]({ ...at, scratch }), { env });
        rmSync(scratch, { recursive: true, force: true });
        check(at, `${work.name}: ${who}`);
        results[who].push(cost);
        say(`${name}, ${work.name}, ${who}: ${cost.wall.toFixed(2)} s`);
      }
    }
    const middle = (who, key) => median(results[who].map((result) => result[key]));
    for (const who of work.who) {
      const [wall, cpu, memory] = ["wall", "cpu", "memory"].map((key) => middle(who, key));
      const ratio = (wall / middle("refsync", "wall")).toFixed(2);
      table.push(
        `| ${work.name} | ${who} | ${wall.toFixed(2)} | ${cpu.toFixed(2)} | ${memory.toFixed(0)} | ${ratio} |`,
      );
    }
  }
  return `${table.join("\n")}\n`;
}

function git(path, ...args) {
  return execFileSync("git", ["-C", path, ...args], { env, encoding: "utf8", maxBuffer: 1 << 28 }).trim();
}

/** An empty bare repository that takes pushes. */
function empty(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  git(path, "init", "--quiet", "--bare", "--initial-branch=main");
  git(path, "config", "http.receivepack", "true");
  git(path, "config", "receive.autogc", "false");
}

/** A copy of a repository, with its pack hard-linked where that works: only the copy's refs are its own. */
function restore(from, to) {
  empty(to);
  for (const part of ["objects", "packed-refs", "refs"]) {
    execFileSync("bash", [
      "-c",
      'if [ -e "$1" ]; then rm -rf "$2" && cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"; fi',
      "bash",
      join(from, part),
      join(to, part),
    ]);
  }
  // A hard-linked file of refs would be written through.
  cpSync(join(from, "packed-refs"), join(to, "packed-refs.own"), { force: true });
  execFileSync("mv", [join(to, "packed-refs.own"), join(to, "packed-refs")]);
}

/** Takes away every other ref, such as a host's `refs/pull/`: those who mirror all refs would have more to do. */
function keepBranchesAndTags(path) {
  const names = git(path, "for-each-ref", "--format=%(refname)").split("\n");
  const others = names.filter((name) => !/^refs\/(heads|tags)\//.test(name));
  const input = others.map((name) => `delete ${name}\n`).join("");
  execFileSync("git", ["-C", path, "update-ref", "--stdin"], { env, input });
  git(path, "repack", "-adq");
  git(path, "pack-refs", "--all");
}

/** Takes the default branch 20 commits back, and away what only those commits need. */
function rewind(path) {
  const branch = defaultBranch(path);
  const old = git(path, "rev-list", "--first-parent", "--skip=20", "--max-count=1", branch);
  const later = git(path, "for-each-ref", `--contains=${old}`, "--format=delete %(refname)", "refs/heads", "refs/tags");
  const commands = later.split("\n").filter((line) => line && !line.endsWith(` ${branch}`));
  execFileSync("git", ["-C", path, "update-ref", "--stdin"], {
    env,
    input: `${commands.join("\n")}\nupdate ${branch} ${old}\n`,
  });
  git(path, "repack", "-adq");
  git(path, "prune", "--expire=now");
  git(path, "pack-refs", "--all");
}

function defaultBranch(path) {
  const names = git(path, "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/heads/master").split("\n");
  return names[0] || git(path, "for-each-ref", "--count=1", "--format=%(refname)", "refs/heads");
}

/** Who is fast and wrong is not fast. */
function check(at, what) {
  const refs = (path) => git(path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags");
  if (refs(at.source.path) !== refs(at.destination.path)) throw new Error(`${what}: the refs differ afterwards`);
}

async function gitServer(folder) {
  const child = spawn("node", [join(root, "benches/git-server.mjs"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return { url, stop: () => child.kill() };
}

function writeReadme(text) {
  const path = join(root, "README.md");
  const [start, end] = ["<!-- bench -->", "<!-- /bench -->"];
  const readme = readFileSync(path, "utf8");
  const [head, tail] = [readme.indexOf(start), readme.indexOf(end)];
  if (head < 0 || tail < 0) throw new Error(`README.md has no place for the tables: ${start} … ${end}`);
  writeFileSync(path, `${readme.slice(0, head + start.length)}\n\n${text}\n${readme.slice(tail)}`);
}
