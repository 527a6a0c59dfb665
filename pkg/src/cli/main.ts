/**
 * The `refsync` command.
 *
 * @module
 */

// Imported first, so that the code is compiled in the background from the start.
import "./sync/engine-code.js";

import { CommanderError } from "commander";
import { printable } from "../node/printable.js";
import { exitCode } from "./exit-code.js";
import { commandLine } from "./program.js";

run();

async function run(): Promise<void> {
  try {
    await commandLine().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed the error or the help.
      process.exitCode = error.exitCode === 0 ? exitCode.completed : exitCode.usage;
    } else {
      process.stderr.write(`refsync: ${printable(error instanceof Error ? error.message : String(error))}\n`);
      process.exitCode = exitCode.failed;
    }
  }
}
