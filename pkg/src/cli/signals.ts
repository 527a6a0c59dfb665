/**
 * SIGINT and SIGTERM.
 *
 * One Ctrl-C may arrive twice: the terminal sends SIGINT to every process that runs in it, and npx and npm pass theirs on to us as
 * well. Signals that follow each other this closely therefore count as one.
 *
 * @module
 */

/** Calls `listener` at each signal. The function that it gives stops that, and leaves the signals to Node again. */
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

/** Milliseconds. npx passes a signal on after a few; nobody presses Ctrl-C twice as fast. */
const SAME_SIGNAL = 250;

/** The exit code that shells give to a process which SIGINT has ended. */
const INTERRUPTED = 130;
