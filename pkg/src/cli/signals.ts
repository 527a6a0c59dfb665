/**
 * SIGINT and SIGTERM.
 *
 * One Ctrl-C may arrive twice: the terminal sends SIGINT to every process that runs in it, and npx and npm pass theirs on to us as
 * well. So signals that follow each other this closely count as one.
 *
 * @module
 */

/** Calls `listener` at each signal. Returns a function that stops this and restores Node's own handling. */
export function onSignal(listener: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  const heard = () => {
    const now = performance.now();
    if (now - last < SAME_SIGNAL) return;
    last = now;
    listener();
  };
  process.on("SIGINT", heard).on("SIGTERM", heard);
  return () => void process.off("SIGINT", heard).off("SIGTERM", heard);
}

/** Resolves at the first signal. A second one ends the process at once. */
export function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    onSignal(() => {
      if (isStopping) process.exit(INTERRUPTED);
      isStopping = true;
      // The timer also keeps the process alive.
      copies = new Promise((over) => setTimeout(over, SAME_SIGNAL));
      resolve();
    });
  });
}

/**
 * Resolves once no copy of the first signal is expected any more. A process that ends earlier may be killed by the copy, and then
 * its exit code is lost.
 */
export function copiesOver(): Promise<void> {
  return copies;
}

let copies: Promise<void> = Promise.resolve();

/** Milliseconds. npx forwards a signal after a few milliseconds. Nobody presses Ctrl-C twice that fast. */
const SAME_SIGNAL = 250;

/** The exit code of a process that SIGINT ended, as in shells. */
const INTERRUPTED = 130;
