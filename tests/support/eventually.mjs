import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits until `fits` is true. Throws after `within` milliseconds.
 *
 * @param {() => unknown} fits
 * @param {{ within?: number, what?: string }} [options] `what` names the condition in the error. The default is the source of `fits`.
 */
export async function eventually(fits, { within = 10_000, what = String(fits) } = {}) {
  for (let waited = 0; !(await fits()); waited += 50) {
    if (waited >= within) throw new Error(`this does not happen within ${within} ms: ${what}`);
    await delay(50);
  }
}
