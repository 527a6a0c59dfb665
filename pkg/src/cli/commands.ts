/**
 * The commands of `refsync`, with the arguments and flags of each. The types of the flags come from here, too.
 *
 * @module
 */

import { readFileSync } from "node:fs";

import type * as typings from "@commander-js/extra-typings";
import * as commander from "commander";
import { collect } from "./given-options.js";
import { count, duration, httpUrl, kept, minRate, port, positive, rateLimit, seconds, wait } from "./values.js";

// The typings know the flags of a command. They are types only, so the package does not need them.
const { Command, Option } = commander as unknown as typeof typings;

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** The values of the flags of each command, such as `Flags["serve"]`. */
export type Flags = {
  [Name in Exclude<keyof Declared, "program">]: ReturnType<Declared[Name]["opts"]>;
};

type Declared = ReturnType<typeof declared>;

/** Declares every command. The caller gives them their actions. */
export function declared() {
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
      .addOption(keep("--keep-runs <time>", "how long to keep runs that have ended, such as 90d, or forever", 90))
      .addOption(
        keep("--keep-events <time>", "the same for the events of earlier attempts, which followers of a run get", 7),
      )
      .option("--public-url <url>", "the public address of the service, for webhooks", httpUrl)
      .addOption(
        new Option(
          "--log <format>",
          "a line for each request, run and delivery; text on a terminal, else JSON",
        ).choices(["json", "text"]),
      )
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

  const serve = working("serve")
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
    .option("--wait <seconds>", "how long to wait for another process that uses the data folder (default: 0)", wait)
    .option("--metrics", "serve Prometheus's /metrics, to anyone who can reach it", false);

  const worker = working("worker")
    .description(
      "Do the runs that `refsync serve --database` queues in a PostgreSQL. Any number of workers can share them.",
    )
    .addOption(database("the PostgreSQL").makeOptionMandatory())
    .option(
      "--data <folder>",
      "the data folder of `refsync serve`, shared with it; without it only repositories elsewhere",
    )
    .option("--json", 'first line on stdout, once it works: {"concurrency"}', false);

  const operator = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("--data <folder>", "the data folder of `refsync serve`", "./refsync-data")
      .addOption(database("the PostgreSQL; not needed for the data folder's own database"));

  const backup = operator(
    "backup",
    "Write everything into a folder: database, repositories, keys. Stop `refsync serve` first, unless it has a PostgreSQL.",
  )
    .argument("<folder>", "the target folder; it must be empty or not exist")
    .addHelpText("after", backupHelp);

  const restore = operator(
    "restore",
    "Restore a backup into an empty or missing data folder, and into an empty database.",
  )
    .argument("<folder>", "the folder of the backup")
    .option("--check", "read the backup and check that it is complete; nothing is written", false)
    .addHelpText("after", backupHelp);

  const rotateKey = operator(
    "rotate-key",
    "Make a new secret key, and encrypt all stored secrets with it. Stop every `refsync serve` and `worker` first.",
  );

  /** A command of a group, such as `refsync keys list`. It works while the service is served, too. */
  const managing = (group: typings.CommandUnknownOpts, name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option("--data <folder>", "the data folder of `refsync serve`", "./refsync-data")
      .addOption(database("the PostgreSQL, if `refsync serve` uses one"))
      .option("--json", "print JSON", false);
  const inOrg = (group: typings.CommandUnknownOpts, name: string, description: string) =>
    managing(group, name, description).option("--org <slug>", "the organisation; not needed if there is only one");
  const scope = (description: string) => new Option("--scope <scope>", description).choices(["read", "write", "admin"]);
  const keyName = () => new Option("--name <text>", "a name for people");
  const keyRepo = () =>
    new Option("--repo <name>", "a repository that the key is limited to; may be given again").argParser(collect);
  const expiresIn = () =>
    new Option("--expires-in <time>", "the lifetime, such as 90d, 12h or 30m").argParser(duration);

  const keys = program.command("keys").description("Make, list and revoke API keys.");
  const createKey = inOrg(keys, "create", "Make an API key, and print it. It is not shown again.")
    .addOption(scope("the scope of the key; each includes those before it").makeOptionMandatory())
    .addOption(keyName())
    .addOption(keyRepo())
    .addOption(expiresIn());
  const listKeys = inOrg(keys, "list", "List the API keys, without their secrets.");
  const revokeKey = inOrg(keys, "revoke", "Revoke an API key. It is refused from then on.").argument(
    "<id>",
    "the key's id, as `refsync keys list` shows it",
  );

  const publicKeys = program
    .command("public-keys")
    .description("Add, make, list and revoke the keys that sign access tokens.");
  const newPublicKey = (name: string, description: string) =>
    inOrg(publicKeys, name, description)
      .addOption(scope("the most that its tokens may do").default("admin"))
      .addOption(keyName())
      .addOption(keyRepo())
      .addOption(expiresIn());
  const addPublicKey = newPublicKey(
    "add",
    "Register the public key of a private key that was made elsewhere.",
  ).argument("<x>", "the Ed25519 public key in base64url, as a JWK has it in x");
  const createPublicKey = newPublicKey(
    "create",
    "Make a private key, register its public key, and print the private key once.",
  );
  const listPublicKeys = inOrg(publicKeys, "list", "List the public keys.");
  const revokePublicKey = inOrg(
    publicKeys,
    "revoke",
    "Revoke a public key. Its access tokens are refused from then on.",
  ).argument("<id>", "the key's id, as `refsync public-keys list` shows it");

  const orgs = program.command("orgs").description("Make and list organisations.");
  const createOrg = managing(orgs, "create", "Make an organisation.")
    .argument("<slug>", "its name in paths")
    .option("--name <text>", "a name for people");
  const listOrgs = managing(orgs, "list", "List the organisations.");

  const sync = program
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
    .addHelpText("after", syncHelp);

  const proxy = program
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
    .option("--allow-private-network", "let the hosts have loopback and private addresses", false);

  return {
    ...{ program, serve, worker, backup, restore, rotateKey, sync, proxy },
    ...{ createKey, listKeys, revokeKey, createOrg, listOrgs },
    ...{ addPublicKey, createPublicKey, listPublicKeys, revokePublicKey },
  };
}

/** A flag for how long something is kept. Its default is a number of days. */
function keep<Usage extends string>(usage: Usage, description: string, days: number) {
  return new Option(usage, description).default(kept(`${days}d`), `${days}d`).argParser(kept);
}

/** The process list would show a password in an argument. */
function database(description: string) {
  return new Option("--database <url>", `${description}, such as postgres://user@host/refsync`).env(
    "REFSYNC_DATABASE_URL",
  );
}

const syncHelp = `
Credentials come in the URL or from the environment, and are never printed:
  REFSYNC_SOURCE_USERNAME, REFSYNC_SOURCE_PASSWORD or REFSYNC_SOURCE_TOKEN
  REFSYNC_DESTINATION_USERNAME, REFSYNC_DESTINATION_PASSWORD or REFSYNC_DESTINATION_TOKEN
A user name in the URL is used with the environment's password or token. If the URL has a password, the environment is ignored.
If a server wants credentials and there are none, Git's credential helpers are asked, provided that Git is installed.

Globs of --branches and --tags match short names: 'main', not 'refs/heads/main'. If there are several, a ref must match one.

Exit code: 0 completed, 3 completed with rejected refs, 1 failed, 2 wrong usage, 4 a glob matches nothing (with --fail-if-empty)`;

const backupHelp = `
A repository that cannot be read is named on stderr, and does not stop the others.

Exit code: 0 done, 5 done, but at least one repository is damaged, 1 failed, 2 wrong usage`;
