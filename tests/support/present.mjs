/**
 * The value. Throws if there is none, because an assertion about it would then check nothing.
 *
 * @template T
 * @param {T} value
 * @returns {NonNullable<T>}
 */
export function present(value) {
  if (value === undefined || value === null) throw new Error(`there is no value: ${value}`);
  return value;
}
