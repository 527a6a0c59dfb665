/**
 * The `refsync` command.
 *
 * @module
 */

// First, so that the compiler has a start over everything else.
import "./engine-code.js";

import { readFileSync } from "node:fs";

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

import { exitCode } from "./exit-code.js";
import { printable } from "./printable.js";
import type { ProxyFlags } from "./proxy.js";
import type { ServeFlags } from "./serve.js";
import type { SyncFlags } from "./sync.js";
import type { WorkerFlags } from "./worker.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("refsync")
  .description("Keeps a Git repository and its upstream in step.")
  .version(version)
  .showHelpAfterError("(refsync --help shows what there is)")
  .exitOverride();

program
  .command("serve")
  .description("Serve the API, hosted Git repositories and the page from a data folder.")
  .option("--port <number>", "port to listen on; 0 takes a free one", port, 8722)
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--data <folder>", "where everything is kept", "./refsync-data")
  .addOption(database("a PostgreSQL that many processes share, instead of the embedded database"))
  .option("--no-worker", "answer calls only; workers do the rest")
  .option("--concurrency <number>", "runs at the same time in this process", positive, 4)
  .option("--max-runs <number>", "runs at the same time in all processes; tell it to each", positive)
  .option("--max-runs-per-org <number>", "the same for each organisation", positive)
  .option("--json", 'first line on stdout, once it answers: {"url","org","api_key"}', false)
  .option("--allow-private-network", "let upstreams and webhooks live on loopback and private addresses", false)
  .action(async (flags: ServeFlags) => (await import("./serve.js")).serve(flags));

program
  .command("worker")
  .description(
    "Work the runs of a PostgreSQL that `refsync serve --database` processes fill, beside as many others as you like.",
  )
  .addOption(database("the PostgreSQL").makeOptionMandatory())
  .option(
    "--data <folder>",
    "the data folder of `refsync serve`, shared with it; without it only repositories elsewhere",
  )
  .option("--concurrency <number>", "runs at the same time in this process", positive, 4)
  .option("--max-runs <number>", "runs at the same time in all processes; tell it to each", positive)
  .option("--max-runs-per-org <number>", "the same for each organisation", positive)
  .option("--json", 'first line on stdout, once it works: {"concurrency"}', false)
  .option("--allow-private-network", "let upstreams and webhooks live on loopback and private addresses", false)
  .action(async (flags: WorkerFlags) => (await import("./worker.js")).worker(flags));

program
  .command("sync")
  .description(
    "Bring the destination's branches and tags to the source's, forwards only unless --force. With one of --branches and --tags the " +
      "other kind stays out; with neither, every branch and tag is synced.",
  )
  .argument("<source-url>", "Git repository to read, http or https")
  .argument("<destination-url>", "Git repository to write, http or https")
  .option("--branches <glob>", "branches to sync, such as 'release/*'")
  .option("--tags <glob>", "tags to sync, such as 'v1.*'")
  .option("--exclude <glob...>", "full ref names to leave out, such as 'refs/heads/wip/*'")
  .option("--force", "move diverged refs too; what was there is kept under refs/refsync/backup/", false)
  .option("--prune <number>", "delete refs that the source lacks: at most this many, else nothing is done", count)
  .option("--atomic", "move all refs or none", false)
  .option("--plan", "tell what would be done, and change nothing", false)
  .option("--json", "last line on stdout: the stats, or the error", false)
  .addHelpText("after", syncHelp())
  .action(async (source: string, destination: string, flags: SyncFlags) => {
    process.exitCode = await (await import("./sync.js")).sync(source, destination, flags);
  });

program
  .command("proxy")
  .description("Relay Git's smart HTTP for the engine in a page, to the hosts and for the pages that are named.")
  .requiredOption("--allow-host <host...>", "Git hosts to reach, such as github.com; https unless http:// is said")
  .requiredOption("--allow-origin <origin...>", "pages to serve, such as https://dashboard.example.com; '*' is all")
  .option("--port <number>", "port to listen on; 0 takes a free one", port, 8723)
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--json", 'first line on stdout, once it answers: {"url"}', false)
  .option("--allow-private-network", "let the hosts have loopback and private addresses", false)
  .action(async (flags: ProxyFlags) => {
    process.exitCode = await (await import("./proxy.js")).proxy(flags);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed what is wrong, or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? exitCode.completed : exitCode.usage;
  } else {
    process.stderr.write(`refsync: ${printable(error instanceof Error ? error.message : String(error))}\n`);
    process.exitCode = exitCode.failed;
  }
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65535) throw new InvalidArgumentError("must be a number from 0 to 65535.");
  return number;
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("must be a number from 1 to 9999.");
  return Number(text);
}

/** A password in an argument would be seen in the process list. */
function database(description: string): Option {
  return new Option("--database <url>", `${description}, such as postgres://user@host/refsync`).env(
    "REFSYNC_DATABASE_URL",
  );
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("must be a number of refs.");
  return Number(text);
}

function syncHelp(): string {
  return `
Credentials come in the URL or from the environment, and are never printed:
  REFSYNC_SOURCE_USERNAME, REFSYNC_SOURCE_PASSWORD or REFSYNC_SOURCE_TOKEN
  REFSYNC_DESTINATION_USERNAME, REFSYNC_DESTINATION_PASSWORD or REFSYNC_DESTINATION_TOKEN

Exit code: 0 completed, 3 completed with rejected refs, 1 failed, 2 wrong usage`;
}
