/** What `import module from "refsync/client.wasm"` gives where the runtime or bundler imports WebAssembly as a module. */
declare const module: WebAssembly.Module;
export default module;
