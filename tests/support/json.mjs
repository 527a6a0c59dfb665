/**
 * JSON that a server or a page answered. Its shape is not checked here: the test that reads it judges it.
 *
 * @typedef {any} Json
 */
export {};
