/**
 * What happens if the engine's WebAssembly traps.
 *
 * A trap is a bug, or the host refused to give more memory. The error appears in a task that nobody awaits, so the promise of the
 * sync never settles. Without this module, the process would end with a stack trace without function names.
 *
 * @module
 */
import { SyncError } from "../../errors.js";

/** Watches for traps: `happened` rejects with a `SyncError` at the first one. Other uncaught errors are not affected. */
export function trap(): { happened: Promise<never>; release(): void } {
  let caught = (_: unknown): void => {};
  const happened = new Promise<never>((_, reject) => {
    caught = (error) => {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const message = `sync: the engine failed (${error.message}); please report it, with the command line that shows it`;
      reject(new SyncError(message, { code: "engine_failed", cause: error }));
    };
  });
  process.on("uncaughtException", caught);
  return { happened, release: () => void process.off("uncaughtException", caught) };
}
