/**
 * The `refsync` command.
 *
 * @module
 */

// First, so that the compiler has a start over everything else.
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
      // Commander has printed what is wrong, or the help that was asked for.
      process.exitCode = error.exitCode === 0 ? exitCode.completed : exitCode.usage;
    } else {
      process.stderr.write(`refsync: ${printable(error instanceof Error ? error.message : String(error))}\n`);
      process.exitCode = exitCode.failed;
    }
  }
}
