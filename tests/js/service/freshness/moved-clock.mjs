// A clock that is moved. PGlite takes its time from `Date.now`, and the service its own clock from `performance.now`.

export const MINUTE = 60_000;

/** Takes over both clocks. `restore` gives them back. */
export function takeClock() {
  const real = { date: Date.now, monotonic: performance.now };
  const monotonic = () => real.monotonic.call(performance);
  let [passed, set] = [0, 0];
  Date.now = () => Math.round(real.date() + passed + set);
  performance.now = () => monotonic() + passed;
  return {
    /**
     * Time passes.
     *
     * @param {number} milliseconds
     */
    pass(milliseconds) {
      passed += milliseconds;
    },
    /**
     * Somebody sets the clock: forward, or back if it is below 0.
     *
     * @param {number} milliseconds
     */
    set(milliseconds) {
      set += milliseconds;
    },
    /** The true time, in milliseconds. */
    now: () => monotonic() + passed,
    /** How much time was made to pass. */
    passed: () => passed,
    restore() {
      Date.now = real.date;
      performance.now = real.monotonic;
    },
  };
}

/**
 * The same until the test ends.
 *
 * @param {import("node:test").TestContext} t
 */
export function movedClock(t) {
  const clock = takeClock();
  t.after(clock.restore);
  return clock;
}
