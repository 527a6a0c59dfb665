/** The type of `import module from "refsync/client.wasm"` if the runtime or bundler imports WebAssembly as a module. */
declare const module: WebAssembly.Module;
export default module;
