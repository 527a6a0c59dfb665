/**
 * The `refsync` command line: the action of each command. Its code is loaded when the command is given.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { declared, type Flags } from "./commands.js";
import { guardOptions } from "./given-options.js";

/** Carries out `refsync serve`. */
export type ServeAction = (flags: Flags["serve"]) => Promise<void>;

const serveUntilSignal: ServeAction = async (flags) => (await import("./serve/serve.js")).serve(flags);

/** The command line. `npm start` passes its own `serve`, so that it gets the flags and defaults of `refsync serve`. */
export function commandLine(serve: ServeAction = serveUntilSignal): CommandUnknownOpts {
  const { program, ...commands } = declared();
  const backup = () => import("./operator/backup.js");
  const keys = () => import("./operator/keys.js");

  commands.serve.action(serve);
  commands.worker.action(async (flags) => (await import("./serve/worker.js")).worker(flags));
  commands.backup.action(async (to, flags) => {
    process.exitCode = await (await backup()).backupCommand(to, flags);
  });
  commands.restore.action(async (from, flags) => {
    process.exitCode = await (await backup()).restoreCommand(from, flags);
  });
  commands.rotateKey.action(async (flags) => (await backup()).rotateKeyCommand(flags));
  commands.createKey.action(async (flags) => (await keys()).createKey(flags));
  commands.listKeys.action(async (flags) => (await keys()).listKeys(flags));
  commands.revokeKey.action(async (id, flags) => (await keys()).revokeKey(id, flags));
  commands.addPublicKey.action(async (x, flags) => (await keys()).addPublicKey(x, flags));
  commands.createPublicKey.action(async (flags) => (await keys()).createPublicKey(flags));
  commands.listPublicKeys.action(async (flags) => (await keys()).listPublicKeys(flags));
  commands.revokePublicKey.action(async (id, flags) => (await keys()).revokePublicKey(id, flags));
  commands.createOrg.action(async (slug, flags) => (await keys()).createOrg(slug, flags));
  commands.listOrgs.action(async (flags) => (await keys()).listOrgs(flags));
  commands.sync.action(async (source, destination, flags) => {
    process.exitCode = await (await import("./sync/sync.js")).sync(source, destination, flags);
  });
  commands.proxy.action(async (flags) => {
    process.exitCode = await (await import("./proxy.js")).proxy(flags);
  });

  guardOptions(Object.values(commands));
  return program;
}
