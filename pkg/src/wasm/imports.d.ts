declare module "*.wasm" {
  /** What runtimes that import WebAssembly as a module give. */
  const module: WebAssembly.Module;
  export default module;
}
