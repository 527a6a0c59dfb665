/**
 * JSON that a server answered. Its shape is not checked here: the test that reads it judges it.
 *
 * @typedef {any} Json
 */
export {};
