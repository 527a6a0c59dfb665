declare module "*.wasm" {
  /** The types of WebAssembly modules in runtimes that can import them. */
  const module: WebAssembly.Module;
  export default module;
}
