/**
 * What kind of runtime this is, where no feature test can tell.
 *
 * @module
 */

/** Whether this is a page or a worker of a browser. */
export function isBrowser(): boolean {
  const { navigator, process } = globalThis as { navigator?: { userAgent?: string }; process?: { versions?: object } };
  return process?.versions === undefined && (navigator?.userAgent ?? "").startsWith("Mozilla/");
}
