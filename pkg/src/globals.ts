/**
 * The names of the runtime that the package's types mention. The DOM library, @types/node and the types of other runtimes declare
 * them; then these empty declarations add nothing. A program that has none of those libraries would not compile without them.
 *
 * @module
 */
// biome-ignore-all lint/suspicious/noEmptyInterface: these only add the names
// biome-ignore-all lint/suspicious/noExplicitAny: all declarations of an interface need the same type parameters

declare global {
  interface AbortSignal {}
  interface CryptoKey {}
  interface ReadableStream<R = any> {}
  interface Request {}
  interface RequestInit {}
  interface Response {}
  interface URL {}

  namespace WebAssembly {
    interface Memory {}
    interface Module {}
    interface Table {}
  }
}

export {};
