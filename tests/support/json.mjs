/**
 * JSON that a server or a page answered. Its shape is not checked here, because the test that reads it checks it.
 *
 * @typedef {any} Json
 */
export {};
