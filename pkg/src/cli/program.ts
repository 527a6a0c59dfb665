/**
 * The `refsync` command line: its commands, and the flags and defaults of each.
 *
 * @module
 */

import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError, Option } from "commander";
import { collect, guardOptions } from "./given-options.js";
import type { PlaceFlags, RestoreFlags } from "./operator/backup.js";
import type { KeyFlags, NewKeyFlags } from "./operator/keys.js";
import type { ProxyFlags } from "./proxy.js";
import type { ServeFlags } from "./serve/serve.js";
import type { WorkerFlags } from "./serve/worker.js";
import type { SyncFlags } from "./sync/sync.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** Carries out `refsync serve`. */
export type ServeAction = (flags: ServeFlags) => Promise<void>;

const serveUntilSignal: ServeAction = async (flags) => (await import("./serve/serve.js")).serve(flags);

/** The command line. `npm start` passes its own `serve`, so that it gets the flags and defaults of `refsync serve`. */
export function commandLine(serve: ServeAction = serveUntilSignal): Command {
  const program = new Command("refsync")
    .description("Keeps a Git repository and its upstream in step.")
    .version(version)
    .showHelpAfterError("(see refsync --help)")
    .exitOverride();

  /** Adds the flags of a command that does runs. */
  const working = (name: string) =>
    program
      .command(name)
      .option("--concurrency <number>", "runs at the same time in this process", positive, 4)
      .option("--max-runs <number>", "runs at the same time in all processes; set the same number for each", positive)
      .option("--max-runs-per-org <number>", "the same for each organisation", positive)
      .option("--run-timeout <seconds>", "the time limit of one attempt", seconds, 3600)
      .addOption(kept("--keep-runs <time>", "how long to keep runs that have ended, such as 90d, or forever", 90))
      .addOption(kept("--keep-events <time>", "the same for the events that followers of a run get", 7))
      .option("--public-url <url>", "the public address of the service, for webhooks", httpUrl)
      .addOption(log())
      .option("--allow-private-network", "allow upstreams and webhooks on loopback and private addresses", false)
      .option(
        "--allow-range <range>",
        "a range of addresses to allow, such as 10.1.0.0/16; may be given again",
        collect,
      )
      .option("--accept-lost-key", "start even if the secret key of the stored credentials is lost", false)
      .option(
        "--accept-lost-repositories",
        "start even if all hosted repositories are missing; each is shown as damaged until it is pulled again",
        false,
      );

  working("serve")
    .description("Serve the API, hosted Git repositories and the page from a data folder.")
    .option("--port <number>", "port to listen on; 0 takes a free one", port, 8722)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--data <folder>", "the data folder", "./refsync-data")
    .option("--org <slug>", "the organisation that the printed address opens; the first start creates it", "default")
    .addOption(database("a PostgreSQL that many processes share, instead of the embedded database"))
    .option("--no-worker", "answer calls only; workers do the rest")
    .option("--json", 'first line on stdout, once it answers: {"url","org","api_key"}', false)
    .option(
      "--allow-origin <origin>",
      "an origin whose pages may call the API, such as https://app.example.com; * is any; may be given again",
      collect,
    )
    .option("--rate-limit <calls>", "calls that each key may make, a second[:at once], such as 100:3000", rateLimit)
    .option("--wait <seconds>", "how long to wait for another process that uses the data folder (default: 0)", seconds)
    .option("--metrics", "serve Prometheus's /metrics, to anyone who can reach it", false)
    .action(serve);

  working("worker")
    .description(
      "Do the runs that `refsync serve --database` queues in a PostgreSQL. Any number of workers can share them.",
    )
    .addOption(database("the PostgreSQL").makeOptionMandatory())
    .option(
      "--data <folder>",
      "the data folder of `refsync serve`, shared with it; without it only repositories elsewhere",
    )
    .option("--json", 'first line on stdout, once it works: {"concurrency"}', false)
    .action(async (flags: WorkerFlags) => (await import("./serve/worker.js")).worker(flags));

  const operator = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("--data <folder>", "the data folder of `refsync serve`", "./refsync-data")
      .addOption(database("the PostgreSQL; not needed for the data folder's own database"));

  operator(
    "backup",
    "Write everything into a folder: database, repositories, keys. Stop `refsync serve` first, unless it has a PostgreSQL.",
  )
    .argument("<folder>", "the target folder; it must be empty or not exist")
    .addHelpText("after", backupHelp)
    .action(async (to: string, flags: PlaceFlags) => {
      process.exitCode = await (await import("./operator/backup.js")).backupCommand(to, flags);
    });

  operator("restore", "Restore a backup into an empty or missing data folder, and into an empty database.")
    .argument("<folder>", "the folder of the backup")
    .option("--check", "read the backup and check that it is complete; nothing is written", false)
    .addHelpText("after", backupHelp)
    .action(async (from: string, flags: RestoreFlags) => {
      process.exitCode = await (await import("./operator/backup.js")).restoreCommand(from, flags);
    });

  operator(
    "rotate-key",
    "Make a new secret key, and encrypt all stored secrets with it. Stop every `refsync serve` and `worker` first.",
  ).action(async (flags: PlaceFlags) => (await import("./operator/backup.js")).rotateKeyCommand(flags));

  const keysModule = () => import("./operator/keys.js");
  /** A command of a group, such as `refsync keys list`. It works while the service is served, too. */
  const managing = (group: Command, name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option("--data <folder>", "the data folder of `refsync serve`", "./refsync-data")
      .addOption(database("the PostgreSQL, if `refsync serve` uses one"))
      .option("--json", "print JSON", false);
  const ofOrg = (command: Command) =>
    command.option("--org <slug>", "the organisation; not needed if there is only one");
  const newKey = (command: Command, scope: Option) =>
    ofOrg(command)
      .addOption(scope.choices(["read", "write", "admin"]))
      .option("--name <text>", "a name for people")
      .option("--repo <name>", "a repository that the key is limited to; may be given again", collect)
      .option("--expires-in <time>", "the lifetime, such as 90d, 12h or 30m", duration);

  const keys = program.command("keys").description("Make, list and revoke API keys.");
  newKey(
    managing(keys, "create", "Make an API key, and print it. It is not shown again."),
    new Option("--scope <scope>", "the scope of the key; each includes those before it").makeOptionMandatory(),
  ).action(async (flags: NewKeyFlags) => (await keysModule()).createKey(flags));
  ofOrg(managing(keys, "list", "List the API keys, without their secrets.")).action(async (flags: KeyFlags) =>
    (await keysModule()).listKeys(flags),
  );
  ofOrg(managing(keys, "revoke", "Revoke an API key. It is refused from then on."))
    .argument("<id>", "the key's id, as `refsync keys list` shows it")
    .action(async (id: string, flags: KeyFlags) => (await keysModule()).revokeKey(id, flags));

  const publicKeys = program
    .command("public-keys")
    .description("Add, make, list and revoke the keys that sign access tokens.");
  const most = () => new Option("--scope <scope>", "the most that its tokens may do").default("admin");
  newKey(managing(publicKeys, "add", "Register the public key of a private key that was made elsewhere."), most())
    .argument("<x>", "the Ed25519 public key in base64url, as a JWK has it in x")
    .action(async (x: string, flags: NewKeyFlags) => (await keysModule()).addPublicKey(x, flags));
  newKey(
    managing(publicKeys, "create", "Make a private key, register its public key, and print the private key once."),
    most(),
  ).action(async (flags: NewKeyFlags) => (await keysModule()).createPublicKey(flags));
  ofOrg(managing(publicKeys, "list", "List the public keys.")).action(async (flags: KeyFlags) =>
    (await keysModule()).listPublicKeys(flags),
  );
  ofOrg(managing(publicKeys, "revoke", "Revoke a public key. Its access tokens are refused from then on."))
    .argument("<id>", "the key's id, as `refsync public-keys list` shows it")
    .action(async (id: string, flags: KeyFlags) => (await keysModule()).revokePublicKey(id, flags));

  const orgs = program.command("orgs").description("Make and list organisations.");
  managing(orgs, "create", "Make an organisation.")
    .argument("<slug>", "its name in paths")
    .option("--name <text>", "a name for people")
    .action(async (slug: string, flags: KeyFlags & { name?: string }) => (await keysModule()).createOrg(slug, flags));
  managing(orgs, "list", "List the organisations.").action(async (flags: KeyFlags) =>
    (await keysModule()).listOrgs(flags),
  );

  program
    .command("sync")
    .description(
      "Update the branches and tags of the destination to those of the source. Refs only move forward, unless --force is given. With " +
        "only one of --branches and --tags, the other kind is not synced. With neither, all branches and tags are.",
    )
    .argument("<source-url>", "Git repository to read, http or https")
    .argument("<destination-url>", "Git repository to write, http or https")
    .option("--branches <glob>", "branches to sync, such as 'release/*'; may be given again", collect)
    .option("--tags <glob>", "tags to sync, such as 'v1.*'; may be given again", collect)
    .option("--exclude <glob>", "full ref names to leave out, such as 'refs/heads/wip/*'; may be given again", collect)
    .option("--force", "also move diverged refs; the old commits are kept under refs/refsync/backup/", false)
    .option("--prune <number>", "delete refs that the source lacks: at most this many, else nothing is done", count)
    .option("--atomic", "move all refs or none", false)
    .option("--push-option <text>", "an option for the destination's hooks; may be given again", collect)
    .option("--timeout <seconds>", "the time limit of the sync (default: none)", seconds)
    .option("--stall-timeout <seconds>", "how long a side may be silent (default: 120)", seconds)
    .option(
      "--min-rate <bytes/seconds>",
      "the lowest rate of a side while the sync waits for it; 0 allows any rate (default: 1000/60)",
      minRate,
    )
    .option("--max-refs <number>", "the most refs that a side may list (default: 1000000)", count)
    .option("--max-commits <number>", "the most new commits that are read for a proof (default: 4000000)", count)
    .option("--max-memory <MiB>", "the most memory for the engine (default: 2048)", count)
    .option("--plan", "show the changes, and change nothing", false)
    .option("--fail-if-empty", "exit with 4 if a glob matches no ref, or if the source has no refs", false)
    .option("--json", "last line on stdout: the stats, or the error", false)
    .addHelpText("after", syncHelp())
    .action(async (source: string, destination: string, flags: SyncFlags) => {
      process.exitCode = await (await import("./sync/sync.js")).sync(source, destination, flags);
    });

  program
    .command("proxy")
    .description("Relay Git's smart HTTP for the engine in a page, to the hosts and for the pages that are named.")
    .requiredOption(
      "--allow-host <host>",
      "a Git host to reach, such as github.com; https unless it starts with http://; may be given again",
      collect,
    )
    .requiredOption(
      "--allow-origin <origin>",
      "a page to serve, such as https://dashboard.example.com; '*' is all; may be given again",
      collect,
    )
    .option("--port <number>", "port to listen on; 0 takes a free one", port, 8723)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--json", 'first line on stdout, once it answers: {"url"}', false)
    .option("--allow-private-network", "let the hosts have loopback and private addresses", false)
    .action(async (flags: ProxyFlags) => {
      process.exitCode = await (await import("./proxy.js")).proxy(flags);
    });

  guardOptions([...program.commands, ...[keys, publicKeys, orgs].flatMap(({ commands }) => commands)]);
  return program;
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

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError("must be an http or https URL such as https://sync.example.com.");
  }
  return text.replace(/\/+$/, "");
}

function rateLimit(text: string): { perSecond: number; burst: number } {
  const [, perSecond, burst] = /^(\d{1,6}(?:\.\d+)?)(?::(\d{1,6}))?$/.exec(text) ?? [];
  const limit = { perSecond: Number(perSecond), burst: Number(burst ?? Math.max(1, Number(perSecond) * 30)) };
  if (!(limit.perSecond > 0 && limit.burst >= 1)) {
    throw new InvalidArgumentError("must be calls a second, above 0, such as 100 or 100:3000.");
  }
  return limit;
}

function log(): Option {
  const format = new Option(
    "--log <format>",
    "a line for each request, run and delivery; text on a terminal, else JSON",
  );
  return format.choices(["json", "text"]);
}

/** The process list would show a password in an argument. */
function database(description: string): Option {
  return new Option("--database <url>", `${description}, such as postgres://user@host/refsync`).env(
    "REFSYNC_DATABASE_URL",
  );
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("must be a whole number.");
  return Number(text);
}

function seconds(text: string): number {
  if (!/^\d{1,7}(\.\d+)?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("must be seconds, above 0.");
  return Number(text);
}

/** An option for a time in minutes, hours or days. Its value is in milliseconds. */
function kept(flags: string, description: string, days: number): Option {
  const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  return new Option(flags, description).default(days * units.d, `${days}d`).argParser((text: string) => {
    if (text === "forever") return Number.POSITIVE_INFINITY;
    const [, number, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
    if (number === undefined)
      throw new InvalidArgumentError("must be a number and m, h or d, such as 90d, or forever.");
    return Number(number) * units[unit as keyof typeof units];
  });
}

function minRate(text: string): { bytes: number; time: number } {
  const [, bytes, time] = /^(\d{1,9})(?:\/(\d{1,6}(?:\.\d+)?))?$/.exec(text) ?? [];
  if (bytes === undefined || (!(Number(time) > 0) && Number(bytes) > 0)) {
    throw new InvalidArgumentError("must be bytes and the seconds in which they must come, such as 1000/60, or 0.");
  }
  return { bytes: Number(bytes), time: Number(time ?? 60) * 1000 };
}

/** A time such as `90d`, in seconds. */
function duration(text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const seconds = Number(number) * ({ m: 60, h: 3600, d: 86_400 }[unit] ?? 0);
  if (!(seconds > 0)) throw new InvalidArgumentError("must be a whole number and m, h or d, such as 90d.");
  return seconds;
}

function syncHelp(): string {
  return `
Credentials come in the URL or from the environment, and are never printed:
  REFSYNC_SOURCE_USERNAME, REFSYNC_SOURCE_PASSWORD or REFSYNC_SOURCE_TOKEN
  REFSYNC_DESTINATION_USERNAME, REFSYNC_DESTINATION_PASSWORD or REFSYNC_DESTINATION_TOKEN
A user name in the URL is used with the environment's password or token. If the URL has a password, the environment is ignored.
If a server wants credentials and there are none, Git's credential helpers are asked, provided that Git is installed.

Globs of --branches and --tags match short names: 'main', not 'refs/heads/main'. If there are several, a ref must match one.

Exit code: 0 completed, 3 completed with rejected refs, 1 failed, 2 wrong usage, 4 a glob matches nothing (with --fail-if-empty)`;
}

const backupHelp = `
A repository that cannot be read is named on stderr, and does not stop the others.

Exit code: 0 done, 5 done, but at least one repository is damaged, 1 failed, 2 wrong usage`;
