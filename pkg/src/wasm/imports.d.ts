declare module "*.wasm" {
  /** The types of WebAssembly modules in runtimes that can import them. */
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  /** The same for Vercel's and Next's edge runtime. */
  const module: WebAssembly.Module;
  export default module;
}
